// One tile of a board: its head, what is in it, and the handles by which it is arranged.

import { html } from 'preact'
import { text } from '../../text/en.js'
import { ChartContent, NoteContent, StatesContent, TableContent, ValueContent } from './contents.js'
import { useDrag } from './drag.js'
import { tileName } from './names.js'
import { selectionKey } from './wanted.js'

const contents = { chart: ChartContent, value: ValueContent, states: StatesContent, table: TableContent }

/**
 * @typedef {object} TileProps
 * @property {import('./document.js').Tile} tile
 * @property {import('./source.js').Source | undefined} source
 * @property {import('./latest.js').Latest} latest
 * @property {import('./draft.js').Draft | null} draft when it is being arranged
 * @property {(id: string) => void} onEdit
 */

/** @param {TileProps} props */
export function Tile({ tile, source, latest, draft, onEdit }) {
  const { id, x, y, w, h } = tile
  const name = tileName(tile)
  const place = { gridColumn: `${x + 1} / span ${w}`, gridRow: `${y + 1} / span ${h}`, order: 100 * y + x }
  const drag = useDrag(draft, id)
  const press = (/** @type {KeyboardEvent} */ event) =>
    draft && event.target === event.currentTarget && keys(event, draft, id, onEdit)
  return html`<section class=${`tile of-${tile.kind}${draft ? ' arranged' : ''}`} style=${place} aria-label=${name} data-tile=${id}
    tabindex=${draft ? 0 : undefined} aria-describedby=${draft ? 'arranging' : undefined} onKeyDown=${press}>
    <header ...${draft ? drag.move : {}}>
      <h2 title=${name}>${name}</h2>
      ${tile.range && html`<small class="own-range">${tile.range}</small>`}
      ${draft && html`<${Tools} draft=${draft} id=${id} name=${name} onEdit=${onEdit} />`}
    </header>
    <div class="content"><${Content} tile=${tile} source=${source} latest=${latest} /></div>
    ${draft && html`<i class="corner" aria-hidden="true" ...${drag.size}></i>`}
  </section>`
}

/** @param {{draft: import('./draft.js').Draft, id: string, name: string, onEdit: (id: string) => void}} props */
function Tools({ draft, id, name, onEdit }) {
  const tool = (/** @type {string} */ sign, /** @type {string} */ label, /** @type {() => void} */ act, kind = '') =>
    html`<button class=${`quiet ${kind}`} title=${label} aria-label=${`${label}: ${name}`} onClick=${act}>${sign}</button>`
  return html`<span class="tools" onPointerDown=${(/** @type {Event} */ e) => e.stopPropagation()}>
    ${tool('↑', text.boards.up, () => draft.step(id, 0, -1, false), 'step')}
    ${tool('↓', text.boards.down, () => draft.step(id, 0, 1, false), 'step')}
    ${tool('✎', text.action.edit, () => onEdit(id))}
    ${tool('✕', text.action.remove, () => draft.remove(id))}
  </span>`
}

/** @param {Pick<TileProps, 'tile' | 'source' | 'latest'>} props */
function Content({ tile, source, latest }) {
  void latest.selections.value
  if (tile.kind === 'note') return html`<${NoteContent} words=${tile.text ?? ''} />`
  const series = latest.seriesOf(tile)
  if (!series.length) return html`<p class="soft">${nothing(tile, latest)}</p>`
  if (!source) return null
  const more = tile.selection ? (latest.selected.get(selectionKey(tile.selection))?.more ?? 0) : 0
  return html`<${contents[tile.kind]} series=${series} source=${source} latest=${latest} />
    ${more > 0 && html`<small>${text.boards.more(more)}</small>`}`
}

/**
 * @param {import('./document.js').Tile} tile
 * @param {import('./latest.js').Latest} latest
 */
function nothing({ selection }, latest) {
  if (!selection) return text.boards.noSeries
  if (!latest.selected.has(selectionKey(selection))) return latest.failed.value ? text.state.failed : text.state.loading
  return text.boards.noneSelected(selection.metric, selection.tag ? '#' + selection.tag : (selection.device ?? ''))
}

const arrows = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
})

/**
 * @param {KeyboardEvent} event
 * @param {import('./draft.js').Draft} draft
 * @param {string} id
 * @param {(id: string) => void} onEdit
 */
function keys(event, draft, id, onEdit) {
  const arrow = event.altKey ? arrows[event.key] : undefined
  if (arrow) draft.step(id, arrow[0], arrow[1], event.shiftKey)
  else if (event.key === 'Delete') draft.remove(id)
  else if (event.key === 'Enter') onEdit(id)
  else return
  event.preventDefault()
  event.stopPropagation()
}
