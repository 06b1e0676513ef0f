// A row of the list: who it is, how it is, what it measures.

import { html } from 'preact'
import { Spark } from '../../chart/spark.js'
import { now } from '../../core/clock.js'
import { ago, decimalsOf, duration, number, quantity, time } from '../../core/format.js'
import { zone, zoneName } from '../../core/prefs.js'
import { devicePath } from '../../core/route.js'
import { text } from '../../text/en.js'
import { stateOf, topMetrics } from './filter.js'

/** @typedef {import('../../parts/device/store.js').Device} Device */

const day = 86_400_000
const many = 3 // metrics in a row
const shownTags = 2

/**
 * @param {Device} device
 * @returns {string[]} the names of the metrics in its row
 */
export function shownMetrics(device) {
  return topMetrics(device.metrics, many).map(({ name }) => name)
}

/**
 * @param {{device: Device, row: import('./watch.js').Row, tabindex: 0 | -1, onTag: (tag: string) => void}} props
 */
export function DeviceRow({ device, row, tabindex, onTag }) {
  const metrics = topMetrics(device.metrics, many)
  const left = device.metrics.length - metrics.length
  return html`<div class="device">
    <${State} device=${device} row=${row} />
    <div class="who">
      <a href=${devicePath(device.id)} tabindex=${tabindex}>${device.name || device.id}</a>
      ${device.name && device.name !== device.id && html`<small>${device.id}</small>`}
    </div>
    <div class="tags">${device.tags.slice(0, shownTags).map((tag) => html`<button key=${tag} class="tag" tabindex="-1" onClick=${() => onTag(tag)}>${tag}</button>`)}
      ${device.tags.length > shownTags && html`<small title=${device.tags.slice(shownTags).join(', ')}>+${device.tags.length - shownTags}</small>`}</div>
    <div class="metrics">
      ${metrics.map((metric, i) => html`<${Newest} key=${metric.name} metric=${metric} row=${row} shade=${i} />`)}
    </div>
    <small class="left">${left > 0 && text.devices.more(left)}</small>
  </div>`
}

/** @param {{metric: import('../../parts/device/store.js').Metric, row: import('./watch.js').Row, shade: number}} props */
function Newest({ metric, row, shade }) {
  void row.revision.value
  const heard = row.newest.get(metric.name)
  const live = heard && heard.ts >= (metric.last_ts ?? 0)
  const value = live ? heard.value : metric.last_value
  const ts = live ? heard.ts : metric.last_ts
  const spark = row.sparks.get(metric.name)
  const to = Date.now()
  const points = spark ? spark.ts.map((at, i) => /** @type {[number, number | null]} */ ([at, spark.values[i]])) : []
  const title = ts ? `${metric.name}: ${quantity(value, metric.unit)}, ${time(ts, 'moment', zoneName())}` : metric.name
  return html`<div class="newest" title=${title}>
    <span class="name">${metric.name}</span>
    <output>${short(value, metric.unit)}</output>
    <${Spark} points=${points.filter(([at]) => at >= to - day)} from=${to - day} to=${to} width=${64} height=${28} shade=${shade} />
  </div>`
}

/**
 * A value in the space of a row: fewer decimals the larger it is, and a power of ten where it would be cut off.
 * @param {number | null} value
 * @param {string} unit
 */
export function short(value, unit) {
  const size = Math.abs(value ?? 0)
  if (value === null || size < 1e7) {
    const most = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4
    return quantity(value, unit, value === null ? 0 : Math.min(decimalsOf([value]), most))
  }
  const exponent = Math.floor(Math.log10(size))
  const raised = [...String(exponent)].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('')
  const digits = Math.round((value / 10 ** exponent) * 100) / 100
  return `${number(digits)}×10${raised}${unit && '\u202f' + unit}`
}

/** @param {{device: Device, row: import('./watch.js').Row}} props */
function State({ device, row }) {
  void zone.value
  void row.revision.value
  const at = now.value
  const state = stateOf(device, row.heard, row.followed ? at : 0)
  const seen = Math.max(row.heard, device.last_seen_at ? Date.parse(device.last_seen_at) : 0)
  const title = seen ? text.devices.seenAt(time(seen, 'moment', zoneName())) : text.devices.neverHint
  return html`<span class=${`state ${state}`} title=${title}><i aria-hidden="true"></i>${said(state, seen, at)}</span>`
}

/**
 * @param {import('./filter.js').State} state
 * @param {number} seen Unix ms
 * @param {number} at Unix ms
 */
function said(state, seen, at) {
  if (state === 'never') return text.devices.never
  const minutes = Math.floor((at - seen) / 60_000)
  if (state === 'online') return minutes < 1 ? text.devices.online : text.devices.seen(ago(seen, at, zoneName()))
  return text.devices.silentFor(duration(Math.max(1, minutes) * 60_000))
}
