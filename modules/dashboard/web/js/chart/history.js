// What charts show: the history of some series over a range, and what follows it live. One load serves all charts of a page.

import { signal } from 'preact'
import { ApiError } from '../core/api.js'
import { wall } from '../core/clock.js'
import { follow } from '../live/live.js'
import { ask, forecast } from './ask.js'
import { Points } from './points.js'
import { record } from './record.js'

/**
 * @typedef {object} Shown
 * @property {string} device
 * @property {string} metric
 * @property {string | null} unit
 * @property {Points} points
 * @property {{ts: number, value: number}} [last] the newest live reading, also where points are buckets
 */

/** @typedef {import('../core/range.js').Range} Range */
/** @typedef {import('./ask.js').Wanted} Wanted */
/** @typedef {import('./ask.js').Aggregate} Aggregate */

const pace = 200 // ms between two drawings of what arrives live
const lateAgain = 10_000 // ms between two loads because of late readings
const retryAfter = 5000 // ms

/** The name of a series on this page. */
export const keyOf = (/** @type {string} */ device, /** @type {string} */ metric) => `${device}\n${metric}`

/** Loads and follows some series. Every change of them raises revision. */
export class History {
  /**
   * @param {Wanted} wanted
   * @param {{aggregate?: Aggregate}} [options] what of a bucket the lines show
   */
  constructor(wanted, { aggregate = 'avg' } = {}) {
    this.wanted = wanted
    this.only = wanted.only && new Set(wanted.only)
    this.aggregate = aggregate
    /** @type {Map<string, Shown>} */
    this.series = new Map()
    /** Raised when points have changed, at most once a frame, and not in a hidden tab. */
    this.revision = signal(0)
    /** Raised when an answer has come, and when a series has its first reading. */
    this.loads = signal(0)
    /** Whether an answer is being waited for. */
    this.loading = signal(true)
    /** @type {import('preact').Signal<Error | null>} why the last load failed, while what was there stays */
    this.failed = signal(/** @type {Error | null} */ (null))
    /** When the last answer came, Unix ms. */
    this.loadedAt = 0
    /** When the newest live reading was stored, Unix ms. */
    this.heardAt = 0
    /** @type {import('./ask.js').Answer | null} the last answer, without its series */
    this.answer = null
    /** @type {Range | null} what was loaded last */
    this.range = null
    this.pixels = 0
    this.step = 0 // ms between readings, learned
    this.drawn = 0
    this.frame = 0
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.drawing = undefined
    /** @type {AbortController | null} */
    this.request = null
    this.stop = () => {}
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.again = undefined
    this.due = Infinity // when `again` loads
    this.forget = record(this)
  }

  /**
   * Changes what the next load asks for.
   * @param {Wanted} wanted
   * @param {Aggregate} aggregate
   */
  want(wanted, aggregate) {
    this.wanted = wanted
    this.only = wanted.only && new Set(wanted.only)
    this.aggregate = aggregate
  }

  /**
   * Loads a range for charts of that many pixels, in place of what is there once it has come.
   * @param {Range} range
   * @param {number} pixels
   */
  async load(range, pixels) {
    this.request?.abort()
    const request = (this.request = new AbortController())
    this.cancelReload()
    this.loading.value = true
    try {
      const { step, aggregate } = this
      const answer = await ask(this.wanted, range, { pixels, step, aggregate }, request.signal)
      if (request !== this.request) return
      Object.assign(this, { range, pixels, step: answer.step })
      this.take(answer, range)
      this.failed.value = null
    } catch (error) {
      if (request !== this.request || request.signal.aborted) return
      this.failed.value = /** @type {Error} */ (error)
      if (!(error instanceof ApiError) || error.passing) this.reload(retryAfter, range, pixels)
    }
    this.request = null
    this.loading.value = false
  }

  /**
   * @param {import('./ask.js').Answer} answer
   * @param {Range} range
   */
  take({ series, ...answer }, range) {
    this.stop()
    this.series = new Map()
    for (const answered of series) {
      const { device, metric, unit } = answered
      const key = keyOf(device, metric)
      if (this.only && !this.only.has(key)) continue
      const points = new Points(answer.width)
      points.load(answered, this.aggregate)
      this.series.set(key, { device, metric, unit, points })
    }
    this.answer = { ...answer, series: [] }
    this.loadedAt = wall()
    this.loads.value++
    this.drawn = 0 // what was asked for is shown at once
    this.changed()
    this.stop = range.last || range.to > wall() ? this.follow(answer.seq) : () => {}
  }

  /** @param {number} since */
  follow(since) {
    return follow(this.wanted.devices, since, {
      onReadings: (readings) => readings.forEach((reading) => this.put(reading)),
      onGap: () => this.reload(0),
    })
  }

  /** @param {import('../live/hub.js').Reading} reading */
  put({ device, ts, values, seq }) {
    const range = /** @type {Range} */ (this.range)
    this.heardAt = Math.max(this.heardAt, seq / 1000)
    const now = wall()
    if (range.last ? ts < now - range.last || ts > now + forecast : ts < range.from || ts >= range.to) return
    for (const metric of Object.keys(values)) {
      if (!this.wants(device, metric)) continue
      const shown = this.series.get(keyOf(device, metric)) ?? this.found(device, metric)
      const { points } = shown
      if (!shown.last || ts >= shown.last.ts) shown.last = { ts, value: values[metric] }
      if (!points.put(ts, values[metric])) this.reload(Math.max(2000, this.loadedAt + lateAgain - now))
      if (range.last) points.trim(now - range.last)
      if (points.length > 2 * this.pixels) this.reload(0)
    }
    this.changed()
  }

  /**
   * @param {string} device
   * @param {string} metric
   */
  wants(device, metric) {
    if (this.only) return this.only.has(keyOf(device, metric))
    return !this.wanted.metrics || this.wanted.metrics.includes(metric)
  }

  /**
   * A series that had no reading in the range until now.
   * @param {string} device
   * @param {string} metric
   * @returns {Shown}
   */
  found(device, metric) {
    const shown = { device, metric, unit: null, points: new Points(this.answer?.width ?? 0) }
    this.series.set(keyOf(device, metric), shown)
    this.loads.value++
    this.reload(1000) // its unit
    return shown
  }

  /**
   * Loads once more, or another range, in a while. The earliest of several reasons counts; an answer that is being waited for
   * is not given up.
   * @param {number} wait ms
   * @param {Range | null} [range]
   * @param {number} [pixels]
   */
  reload(wait, range = this.range, pixels = this.pixels) {
    const due = wall() + wait
    if (!range || due >= this.due) return
    this.cancelReload()
    this.due = due
    this.again = setTimeout(() => {
      this.due = Infinity
      if (this.request) return this.reload(100, range, pixels)
      const now = wall()
      return void this.load(range.last ? { from: now - range.last, to: now, last: range.last } : range, pixels)
    }, wait)
  }

  cancelReload() {
    clearTimeout(this.again)
    this.due = Infinity
  }

  changed() {
    if (this.drawing !== undefined || this.frame) return
    const draw = () => {
      this.frame = 0
      this.drawn = performance.now()
      this.revision.value++
    }
    const wait = this.drawn + pace - performance.now()
    if (wait <= 0) this.frame = requestAnimationFrame(draw)
    else
      this.drawing = setTimeout(() => {
        this.drawing = undefined
        this.frame = requestAnimationFrame(draw)
      }, wait)
  }

  /** Ends loading and following. */
  close() {
    this.request?.abort()
    this.request = null
    this.cancelReload()
    clearTimeout(this.drawing)
    cancelAnimationFrame(this.frame)
    this.stop()
    this.forget()
  }
}
