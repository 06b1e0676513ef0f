// The records of an import that were not stored.

import { html } from 'preact'
import { number } from '../../../core/format.js'
import { text } from '../../../text/en.js'
import { short } from './preview.js'

const most = 200 // lines that are shown: the files have more

/** @param {{run: import('./run.js').Run}} props */
export function RejectList({ run }) {
  void run.progress.value // which changes whenever there are more
  const { list, count, unnamed } = run.rejects
  if (!count) return null
  const t = text.transfer
  const shown = list.slice(0, most)
  const { name } = run.file
  const notes = [
    list.length > most && t.listed(number(most), number(count)),
    unnamed > 0 && t.unnamed(number(unnamed)),
  ].filter(Boolean)
  const plain = name.replace(/\.gz$/i, '')
  return html`<section class="rejects"><h3>${t.rejects}</h3>
    <div class="scroll" tabindex="0" role="group" aria-label=${t.rejects}><table>
      <thead><tr><th scope="col" class="number">${t.line}</th><th scope="col">${t.why}</th><th scope="col">${t.textOf}</th></tr></thead>
      <tbody>${shown.map(
        (
          { line, reason, text: written },
          i,
        ) => html`<tr key=${i}><td class="number">${line}</td><td>${inWords(reason)}</td>
        <td><code title=${written.slice(0, 1000)}>${short(written)}</code></td></tr>`,
      )}</tbody></table></div>
    ${notes.length > 0 && html`<p class="soft">${notes.join(' ')}</p>`}
    <div class="actions">
      <button onClick=${() => save(`rejected-${plain}`, run.rejects.asFile(run.head))}>${t.linesFile}</button>
      <button onClick=${() => save(`errors-${plain}.csv`, run.rejects.asTable())}>${t.errorsFile}</button></div>
  </section>`
}

/** @param {string} reason */
function inWords(reason) {
  const own = /** @type {Record<string, string>} */ (text.transfer.reasons)
  return own[reason] ?? reason
}

/**
 * Has the browser keep a text as a file.
 * @param {string} name
 * @param {string} content
 */
function save(name, content) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([content], { type: 'text/plain' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
