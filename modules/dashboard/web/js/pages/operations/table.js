// A group's figures as a table: the newest first.

import { html } from 'preact'
import { time } from '../../core/format.js'
import { zone, zoneName } from '../../core/prefs.js'
import { text } from '../../text/en.js'
import { amountText } from './amount.js'
import { wordsOf } from './figure.js'

/** @param {{title: string, figures: import('./report.js').Figure[], times: number[]}} props */
export function FigureTable({ title, figures, times }) {
  const at = zone.value && zoneName()
  const rows = times.map((ts, i) => ({ ts, i })).reverse()
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${title}><table>
    <thead><tr><th scope="col">${text.chart.time}</th>
      ${figures.map(({ name }) => html`<th key=${name} scope="col" class="number">${wordsOf(name).title}</th>`)}</tr></thead>
    <tbody>${rows.map(
      ({ ts, i }) =>
        html`<tr key=${ts}><td>${time(ts, 'second', at)}</td>
          ${figures.map(({ name, unit, values }) => html`<td key=${name} class="number">${amountText(values[i], unit)}</td>`)}</tr>`,
    )}</tbody>
  </table></div>`
}
