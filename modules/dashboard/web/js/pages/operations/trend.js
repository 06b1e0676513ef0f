// A small chart of a figure: its line, its limit, and the time that is pointed at, which all charts of the page share.

import { html, useMemo } from 'preact'
import { text } from '../../text/en.js'
import { amountText } from './amount.js'
import { kindOf } from './groups.js'
import { box, level, nearest, paths, scaleOf, spanOf } from './shape.js'

/** @typedef {import('preact').Signal<number | null>} Cursor Unix ms */

/**
 * @param {{figure: import('./report.js').Figure, times: number[], step: number, cursor: Cursor}} props step is in ms
 */
export function Trend({ figure, times, step, cursor }) {
  const { values, limit, unit, name } = figure
  const span = useMemo(() => spanOf(times), [times])
  const scale = useMemo(() => scaleOf(values, limit, kindOf(name)), [values, limit, name])
  const { line, area, dots } = useMemo(() => paths(times, values, span, scale, step), [values, span, scale, step])
  const point = (/** @type {PointerEvent} */ event) => {
    const { left, width } = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect()
    const ts = span.from + ((event.clientX - left) / width) * (span.to - span.from)
    cursor.value = times[nearest(times, ts)] ?? null
  }
  const leave = () => (cursor.value = null)
  const limits = /** @type {Record<string, (limit: string) => string>} */ (text.operations.limits)
  const named = limit === null ? '' : (limits[kindOf(name)] ?? text.operations.limit)(amountText(limit, unit))
  const top = scale.limit === 'inside' ? 1 - level(/** @type {number} */ (limit), scale) : 0
  return html`<div class="trend" aria-hidden="true" onPointerDown=${point} onPointerMove=${point} onPointerLeave=${leave} onPointerCancel=${leave}>
    <svg viewBox=${`0 0 ${box.width} ${box.height}`} preserveAspectRatio="none"><path class="area" d=${area} /><path class="line" d=${line} /><path class="line dots" d=${dots} /></svg>
    ${
      limit !== null &&
      html`<div class=${`limit ${scale.limit}`} style=${{ top: `${100 * top}%` }}><small>${scale.limit === 'above' && '↑ '}${named}</small></div>`
    }
    <${Pointed} cursor=${cursor} span=${span} />
  </div>`
}

/** @param {{cursor: Cursor, span: import('./shape.js').Span}} props */
function Pointed({ cursor, span }) {
  const ts = cursor.value
  if (ts === null || ts < span.from) return null
  return html`<div class="pointed" style=${{ left: `${(100 * (ts - span.from)) / (span.to - span.from)}%` }}></div>`
}
