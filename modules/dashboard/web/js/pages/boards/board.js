// One board, seen or being changed.

import { html, useEffect, useMemo, useState } from 'preact'
import { View } from '../../chart/view.js'
import { ApiError, api } from '../../core/api.js'
import { useTitle } from '../../core/title.js'
import { useLoad } from '../../parts/load.js'
import { RangeBar } from '../../parts/range.js'
import { Empty, Failure, Loading } from '../../parts/states.js'
import { text } from '../../text/en.js'
import { Adding } from './adding.js'
import { Arranging, Viewing } from './head.js'
import { drafts } from './draft.js'
import { byPlace, settle } from './grid.js'
import { GridView } from './grid-view.js'
import { TileDialog } from './tile-dialog.js'

const again = 60_000 // ms after which a board is looked at once more: another may have changed it

/** @param {{id: string, wall?: boolean}} props wall leaves out everything but the tiles */
export function Board({ id, wall = false }) {
  const { data, error, since, reload } = useLoad(
    (signal) => api.get('/api/boards/' + encodeURIComponent(id), {}, signal),
    [id],
    {
      every: again,
    },
  )
  useTitle(data?.name ?? '')
  if (!data && error instanceof ApiError && error.status === 404)
    return html`<${Empty} title=${text.boards.missing}><a href="/boards">${text.boards.toList}</a><//>`
  if (!data) return error ? html`<${Failure} error=${error} retry=${reload} />` : html`<${Loading} />`
  return html`${error && !wall && html`<${Failure} error=${error} since=${since} retry=${reload} />`}
    <${Shown} key=${data.document.range ?? ''} board=${data} reload=${reload} wall=${wall} />`
}

/** @param {{board: import('./draft.js').Board, reload: () => void, wall: boolean}} props */
function Shown({ board, reload, wall }) {
  const draft = wall ? null : (drafts.value.get(board.id) ?? null)
  const view = useMemo(() => new View(board.document.range ?? '24h'), [])
  const [edited, setEdited] = useState('')
  const kept = useMemo(() => settle([...board.document.tiles]).sort(byPlace), [board.version, board.left_out])
  const tiles = draft ? draft.tiles.value : kept
  const tile = draft && draft.find(edited)
  useEffect(() => {
    if (!draft) setEdited('')
  }, [draft])
  const grid = html`<${GridView} tiles=${tiles} view=${view} draft=${draft} onEdit=${setEdited} />`
  if (wall) return grid
  return html`<section class="board-page">
    ${draft ? html`<${Arranging} draft=${draft} reload=${reload} />` : html`<${Viewing} board=${board} reload=${reload} />`}
    ${board.left_out > 0 && html`<p class="notice">${text.boards.leftOut(board.left_out)}</p>`}
    ${draft && html`<${Adding} draft=${draft} onAdded=${(/** @type {string} */ id) => id && setEdited(id)} />`}
    ${tiles.length > 0 && html`<${RangeBar} view=${view} />`}
    ${tiles.length === 0 && !draft && html`<${Empty} title=${text.boards.emptyBoard(board.editable)} />`}
    ${grid}
    ${draft && tile && html`<${TileDialog} draft=${draft} tile=${tile} onClose=${() => setEdited('')} />`}
  </section>`
}
