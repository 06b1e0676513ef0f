// What a tile shows: title, kind, series, range.

import { html, useState } from 'preact'
import { parseRange } from '../../core/range.js'
import { zoneName } from '../../core/prefs.js'
import { Dialog } from '../../parts/dialog.js'
import { Field } from '../../parts/form.js'
import { Finder } from '../../parts/finder.js'
import { askServer, learn } from '../../parts/known.js'
import { text } from '../../text/en.js'
import { findSeries, showing } from './adding.js'
import { kinds } from './document.js'
import { deviceName, tileName } from './names.js'

/** @typedef {import('./document.js').Tile} Tile */

/** @param {{draft: import('./draft.js').Draft, tile: Tile, onClose: () => void}} props */
export function TileDialog({ draft, tile, onClose }) {
  const [title, setTitle] = useState(tile.title ?? '')
  const [range, setRange] = useState(tile.range ?? '')
  const [words, setWords] = useState(tile.text ?? '')
  const [kind, setKind] = useState(tile.kind)
  const [shows, setShows] = useState({ series: tile.series, selection: tile.selection })
  const wrong = range.trim() !== '' && !parseRange(range, Date.now(), zoneName())
  const note = tile.kind === 'note'
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault()
    if (wrong) return
    const common = { title: title.trim() || undefined }
    draft.change(
      tile.id,
      note ? { ...common, text: words } : { ...common, kind, range: range.trim() || undefined, ...shows },
    )
    onClose()
  }
  const input = (/** @type {(value: any) => void} */ set) => (/** @type {any} */ event) => set(event.target.value)
  return html`<${Dialog} title=${tileName(tile)} onClose=${onClose}>
    <form onSubmit=${submit}>
      <${Field} label=${text.boards.tileTitle} hint=${text.boards.tileTitleHint} value=${title} maxlength="200" autofocus onInput=${input(setTitle)} />
      ${
        note
          ? html`<label class="field">${text.boards.noteText}<textarea rows="6" maxlength="10000" value=${words} onInput=${input(setWords)}></textarea></label>`
          : html`
        <label class="field">${text.boards.as}<select value=${kind} onChange=${input(setKind)}>
          ${kinds.map((k) => html`<option key=${k} value=${k}>${text.boards.asKind[k]}</option>`)}</select></label>
        <${Shows} shows=${shows} onChange=${setShows} />
        <${Field} label=${text.boards.tileRange} hint=${text.boards.tileRangeHint} error=${wrong && text.range.wrong} value=${range}
          maxlength="100" onInput=${input(setRange)} />`
      }
      <div class="actions"><button class="primary">${text.boards.take}</button><button type="button" onClick=${onClose}>${text.action.cancel}</button></div>
    </form><//>`
}

/** @typedef {Pick<Tile, 'series' | 'selection'>} Shows */

const most = 50

/** @param {{shows: Shows, onChange: (shows: any) => void}} props */
function Shows({ shows, onChange }) {
  const { series = [], selection } = shows
  const add = (/** @type {import('../../core/rank.js').Item} */ item) => {
    const { series: [one] = [], selection: chosen } = /** @type {Shows} */ (showing(item))
    if (chosen) onChange({ series: undefined, selection: chosen })
    else if (one && series.length < most && !series.some((s) => s.device === one.device && s.metric === one.metric))
      onChange({ selection: undefined, series: [...series, one] })
  }
  const without = (/** @type {number} */ i) => onChange({ series: series.filter((_, at) => at !== i) })
  return html`<div class="field"><span class="label">${text.boards.shows}</span>
    ${selection && html`<p>${text.boards.selected(selection.metric, selection.tag ? '#' + selection.tag : selection.device)}</p>`}
    <ul class="chosen">${series.map(
      ({ device, metric }, i) => html`<li key=${device + '\n' + metric}><span>${deviceName(device)} ${metric}</span>
      <button class="quiet" type="button" aria-label=${text.boards.without(`${deviceName(device)} ${metric}`)} onClick=${() => without(i)}>✕</button></li>`,
    )}</ul>
    <${Finder} label=${text.boards.addSeries} name="series" find=${findSeries} choose=${add} onSay=${askServer} onFocus=${learn} keep /></div>`
}
