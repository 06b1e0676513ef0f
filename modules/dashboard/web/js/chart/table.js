// The points of a chart as a table: the newest first.

import { html } from 'preact'
import { number, time } from '../core/format.js'
import { text } from '../text/en.js'
import { digitsOf } from './digits.js'

const rows = 200

/** @param {{shown: (import('./history.js').Shown | undefined)[], zone: string}} props */
export function PointTable({ shown, zone }) {
  return shown.map((one) => one && html`<${OneTable} shown=${one} zone=${zone} />`)
}

/** @param {{shown: import('./history.js').Shown, zone: string}} props */
function OneTable({ shown, zone }) {
  const { device, metric, unit, points } = shown
  const decimals = digitsOf(points)
  const begin = Math.max(0, points.length - rows)
  const cell = (/** @type {number | null} */ value) => html`<td class="number">${number(value, decimals)}</td>`
  const list = []
  for (let i = points.length - 1; i >= begin; i--) {
    list.push(html`<tr key=${points.ts[i]}><td>${time(points.ts[i], 'moment', zone)}</td>${cell(points.values[i])}
      ${points.width > 0 && [cell(points.least[i]), cell(points.greatest[i])]}</tr>`)
  }
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${`${device} ${metric}`}><table>
    <caption>${device} ${metric}${unit && ` (${unit})`}${begin > 0 && ` – ${text.chart.newestRows(rows)}`}</caption>
    <thead><tr><th scope="col">${text.chart.time}</th><th scope="col" class="number">${points.width ? text.chart.avg : text.chart.value}</th>
      ${points.width > 0 && html`<th scope="col" class="number">${text.chart.min}</th><th scope="col" class="number">${text.chart.max}</th>`}</tr></thead>
    <tbody>${list}</tbody>
  </table></div>`
}
