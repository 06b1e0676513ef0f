// Adding tiles to a board: search a series, press Enter.

import { html, useState } from 'preact'
import { rank } from '../../core/rank.js'
import { Finder } from '../../parts/finder.js'
import { askServer, known, learn } from '../../parts/known.js'
import { text } from '../../text/en.js'
import { kinds } from './document.js'

/**
 * The series and selections that match what was said.
 * @param {string} said
 */
export function findSeries(said) {
  return rank(
    known.value.filter(({ kind }) => kind === 'metric' || kind === 'tag'),
    said,
    12,
  )
}

/**
 * What a tile shows for something that was found.
 * @param {import('../../core/rank.js').Item} item
 */
export function showing({ kind, value }) {
  return kind === 'tag' ? { selection: value } : { series: [value] }
}

/** @param {{draft: import('./draft.js').Draft, onAdded: (id: string) => void}} props */
export function Adding({ draft, onAdded }) {
  const [kind, setKind] = useState(kinds[0])
  const add = (/** @type {import('../../core/rank.js').Item} */ item) => seen(draft.add(kind, showing(item)).id)
  return html`<div class="adding">
    <${Finder} label=${text.boards.add} name="add" find=${findSeries} choose=${add} onSay=${askServer} onFocus=${learn} keep />
    <select aria-label=${text.boards.as} value=${kind} onChange=${(/** @type {any} */ e) => setKind(e.target.value)}>
      ${kinds.map((k) => html`<option key=${k} value=${k}>${text.boards.asKind[k]}</option>`)}</select>
    <button onClick=${() => onAdded(draft.add('note', { text: '' }).id)}>${text.boards.addNote}</button>
  </div>`
}

/**
 * Brings a tile that is drawn in a moment into sight.
 * @param {string} id
 */
function seen(id) {
  requestAnimationFrame(() => document.querySelector(`[data-tile="${id}"]`)?.scrollIntoView({ block: 'nearest' }))
}
