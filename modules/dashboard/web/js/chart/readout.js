// The head of a chart: what its lines are, and their values at the cursor, or the newest.

import { html } from 'preact'
import { number, time } from '../core/format.js'
import { digitsOf } from './digits.js'
import { text } from '../text/en.js'
import { devicePath } from '../core/route.js'

/** @typedef {import('./history.js').Shown} Shown */

/**
 * @param {{shown: (Shown | undefined)[], series: {device: string, metric: string}[], shades: number[],
 *   cursor: import('preact').Signal<number | null>, names: boolean, zone: string, kind: import('./kind.js').Kind,
 *   turn: number, children?: any}} props turn differs when points have changed
 */
export function Readout({ shown, series, shades, cursor, names, zone, kind, turn, children }) {
  const line = (/** @type {{device: string, metric: string}} */ one, /** @type {number} */ i) =>
    html`<${Line} key=${one.device + one.metric} of=${one} shown=${shown[i]} shade=${shades[i]} cursor=${cursor} names=${names}
      zone=${zone} kind=${kind} turn=${turn} />`
  return html`<figcaption>
    <div class="lines">${series.map(line)}</div>
    ${children}
  </figcaption>`
}

/**
 * @param {{of: {device: string, metric: string}, shown: Shown | undefined, shade: number,
 *   cursor: import('preact').Signal<number | null>, names: boolean, zone: string, kind: import('./kind.js').Kind,
 *   turn: number}} props
 */
function Line({ of, shown, shade, cursor, names, zone, kind, turn }) {
  return html`<span class=${`line shade-${shade + 1}`}>
    <i class="swatch" aria-hidden="true"></i>
    <span class="name">${names && html`<a href=${devicePath(of.device)}>${of.device}</a> `}${of.metric}${
      shown?.unit && html` <small>${shown.unit}</small>`
    }</span>
    ${kind !== 'value' && shown && shown.points.length > 0 && html`<${At} shown=${shown} cursor=${cursor} zone=${zone} kind=${kind} turn=${turn} />`}
  </span>`
}

/**
 * What reads a signal is drawn again only when that or a property changes: shown stays the same when its points change, turn does not.
 * @param {{shown: Shown, cursor: import('preact').Signal<number | null>, zone: string, kind: import('./kind.js').Kind,
 *   turn: number}} props
 */
function At({ shown, cursor, zone, kind }) {
  const { points } = shown
  const at = cursor.value === null ? points.length - 1 : nearest(points, cursor.value)
  const digits = kind === 'rate' ? undefined : digitsOf(points) + (points.width > 0 ? 1 : 0)
  const say = (/** @type {number | null} */ value) =>
    kind === 'bands' && (value === 0 || value === 1)
      ? text.chart.state(value)
      : number(digits === undefined && value !== null ? Number(value.toPrecision(3)) : value, digits)
  return html`<output>${say(points.values[at])}</output>
    ${points.width > 0 && kind !== 'bands' && html`<small class="spread">${say(points.least[at])} … ${say(points.greatest[at])}</small>`}
    <small class="when">${time(points.ts[at], cursor.value === null ? 'second' : 'moment', zone)}</small>`
}

/**
 * The place of the point that is nearest to a time, -1 when there is none.
 * @param {import('./points.js').Points} points
 * @param {number} ts
 */
function nearest(points, ts) {
  const at = points.find(ts)
  if (at === points.length) return at - 1
  return at > 0 && ts - points.ts[at - 1] < points.ts[at] - ts ? at - 1 : at
}
