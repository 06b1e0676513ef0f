// The newest value in large figures, with the shape of the range below.

import { html } from 'preact'
import { quantity } from '../core/format.js'
import { digitsOf } from './digits.js'
import { Spark } from './spark.js'

/**
 * @param {{shown: (import('./history.js').Shown | undefined)[], shades: number[], view: import('./view.js').View}} props
 */
export function Value({ shown, shades, view }) {
  const { from, to } = view.edges()
  return html`<div class="values">
    ${shown.map((one, i) => one && html`<${One} key=${one.device + one.metric} shown=${one} shade=${shades[i]} from=${from} to=${to} />`)}
  </div>`
}

/** @param {{shown: import('./history.js').Shown, shade: number, from: number, to: number}} props */
function One({ shown, shade, from, to }) {
  const { points, unit, last } = shown
  const value = last ? last.value : points.values[points.length - 1]
  const line = points.ts.map((ts, i) => /** @type {[number, number | null]} */ ([ts, points.values[i]]))
  return html`<div class="value"><strong>${quantity(value, unit, digitsOf(points))}</strong>
    <${Spark} points=${line} from=${from} to=${to} width=${240} height=${48} shade=${shade} /></div>`
}
