// The first lines of a file, as a table.

import { html } from 'preact'
import { text } from '../../../text/en.js'

const most = 60 // characters of a cell

/** @param {{sample: import('../file/sample.js').Sample, format: import('../file/syntax.js').Format | ''}} props */
export function Preview({ sample, format }) {
  const { columns, rows } = sample
  if (!rows.length) return null
  const t = text.transfer
  const names = /** @type {Record<string, string>} */ (t.lineColumns)
  return html`<div class="scroll preview" tabindex="0" role="group" aria-label=${t.preview(rows.length)}><table>
    <caption>${t.preview(rows.length)}</caption>
    <thead><tr><th scope="col" class="number">${t.line}</th>
      ${columns.map((name, i) => html`<th key=${i} scope="col">${format === 'lines' ? names[name] : name}</th>`)}</tr></thead>
    <tbody>${rows.map(
      ({ line, cells, text: written }) => html`<tr key=${line}><td class="number soft">${line}</td>
      ${
        cells
          ? cells.map(
              (cell, i) => html`<td key=${i} title=${cell.length > most ? cell : undefined}>${short(cell)}</td>`,
            )
          : html`<td colspan=${Math.max(1, columns.length)}><code>${short(written)}</code> <small class="error">${t.unreadable}</small></td>`
      }</tr>`,
    )}</tbody></table></div>`
}

/** @param {string} cell */
export function short(cell) {
  return cell.length > most ? cell.slice(0, most - 1) + '…' : cell
}
