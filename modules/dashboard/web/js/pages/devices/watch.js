// What the rows on the screen show beyond the list: the last day as a sparkline, and newest values as they arrive.

import { signal } from 'preact'
import { address, api } from '../../core/api.js'
import { Points } from '../../chart/points.js'
import { follow } from '../../live/live.js'

const day = 86_400_000
const bucket = 1_800_000 // ms: half an hour is two pixels of a sparkline
const settle = 200 // ms that rows must stay before they are asked for
const pace = 250 // ms between two drawings of what arrives
const longest = 8000 // characters of an address, which proxies take

/** What is known of a row beyond the list. */
export class Row {
  constructor() {
    /** Raised when it changes. */
    this.revision = signal(0)
    /** @type {Map<string, Points>} by metric */
    this.sparks = new Map()
    /** @type {Map<string, {ts: number, value: number}>} by metric */
    this.newest = new Map()
    this.heard = 0 // when readings of it arrived, Unix ms
    this.followed = false
  }

  /**
   * @param {string} metric
   * @param {number} ts
   * @param {number} value
   */
  put(metric, ts, value) {
    const before = this.newest.get(metric)
    if (!before || before.ts <= ts) this.newest.set(metric, { ts, value })
  }
}

/** Follows the rows on the screen. */
export class Watch {
  constructor() {
    /** @type {Map<string, Row>} by device */
    this.rows = new Map()
    /** @type {Map<string, string[]>} the metrics of the devices shown */
    this.shown = new Map()
    /** @type {Set<Row>} those that have changed since they were drawn */
    this.changed = new Set()
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.asking = undefined
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.drawing = undefined
    /** @type {AbortController | null} */
    this.request = null
    this.stop = () => {}
  }

  /** @param {string} id of a device */
  row(id) {
    let row = this.rows.get(id)
    if (!row) this.rows.set(id, (row = new Row()))
    return row
  }

  /**
   * @param {Map<string, string[]>} shown the metrics of each device that is on the screen
   */
  show(shown) {
    const more = [...shown].some(([id, metrics]) => metrics.some((metric) => !this.shown.get(id)?.includes(metric)))
    this.shown = shown
    if (more) this.askSoon(settle)
  }

  /** @param {number} wait ms */
  askSoon(wait) {
    clearTimeout(this.asking)
    this.asking = setTimeout(() => this.ask(), wait)
  }

  async ask() {
    this.request?.abort()
    const mine = (this.request = new AbortController())
    const wanted = [...this.shown.keys()]
    if (!wanted.length) return
    const metrics = [...new Set([...this.shown.values()].flat())]
    try {
      const answers = await Promise.all(parts(wanted, metrics).map((part) => ask('/api/readings', part, mine.signal)))
      const newest = await Promise.all(parts(wanted, metrics).map((part) => latest(part, mine.signal)))
      if (mine.signal.aborted) return
      this.take(answers, newest, wanted)
    } catch {
      if (!mine.signal.aborted) this.askSoon(5000)
    }
  }

  /**
   * @param {{seq: number, series: import('../../chart/points.js').Answered[]}[]} answers
   * @param {{series: {device: string, metric: string, ts: number, value: number}[]}[]} newest
   * @param {string[]} wanted
   */
  take(answers, newest, wanted) {
    for (const answered of answers.flatMap((answer) => answer.series)) {
      const points = new Points(bucket)
      points.load(answered)
      this.row(answered.device).sparks.set(answered.metric, points)
    }
    for (const { device, metric, ts, value } of newest.flatMap((answer) => answer.series))
      this.row(device).put(metric, ts, value)
    this.stop()
    this.rows.forEach((row) => (row.followed = false))
    wanted.forEach((id) => {
      this.row(id).followed = true
      this.draw(this.row(id))
    })
    const since = Math.min(...answers.map((answer) => answer.seq))
    this.stop = follow(wanted, since, {
      onReadings: (readings) => readings.forEach((reading) => this.hear(reading)),
      onGap: () => this.askSoon(0),
    })
  }

  /** @param {import('../../live/hub.js').Reading} reading */
  hear({ device, ts, values, seq }) {
    const row = this.row(device)
    row.heard = Math.max(row.heard, seq / 1000)
    for (const [metric, value] of Object.entries(values)) {
      row.put(metric, ts, value)
      const spark = row.sparks.get(metric)
      if (spark && ts > Date.now() - day) spark.put(ts, value)
      if (!spark && this.shown.get(device)?.includes(metric)) row.sparks.set(metric, first(ts, value))
    }
    this.draw(row)
  }

  /** @param {Row} row */
  draw(row) {
    this.changed.add(row)
    this.drawing ??= setTimeout(() => {
      this.drawing = undefined
      for (const one of this.changed) one.revision.value++
      this.changed.clear()
    }, pace)
  }

  /** Ends asking and following. */
  close() {
    clearTimeout(this.asking)
    clearTimeout(this.drawing)
    this.request?.abort()
    this.stop()
  }
}

/**
 * @param {number} ts
 * @param {number} value
 */
function first(ts, value) {
  const points = new Points(bucket)
  const start = ts - (ts % bucket)
  points.load({ device: '', metric: '', unit: null, columns: ['ts', 'avg', 'count'], points: [[start, value, 1]] })
  return points
}

/** @typedef {{device: string[], metric: string[]}} Part */

/**
 * The devices in parts whose addresses are not too long.
 * @param {string[]} ids
 * @param {string[]} metrics
 * @returns {Part[]}
 */
export function parts(ids, metrics) {
  const whole = { device: ids, metric: metrics }
  if (ids.length === 1 || address('/api/readings', whole).length <= longest) return [whole]
  const half = ids.length >> 1
  return [...parts(ids.slice(0, half), metrics), ...parts(ids.slice(half), metrics)]
}

/**
 * @param {string} path
 * @param {Part} part
 * @param {AbortSignal} signal
 */
function ask(path, part, signal) {
  return api.get(path, { ...part, from: '-24h', interval: '30m', agg: ['avg', 'count'] }, signal)
}

/**
 * @param {Part} part
 * @param {AbortSignal} signal
 */
function latest(part, signal) {
  return api.get('/api/readings/latest', { ...part }, signal)
}
