// The tiles of a board on their grid, with the data that they share.

import { html, useEffect, useMemo, useRef, useState } from 'preact'
import { learn } from '../../parts/known.js'
import { Failure } from '../../parts/states.js'
import { columns } from './grid.js'
import { Latest } from './latest.js'
import { Source, TileView } from './source.js'
import { Tile } from './tile.js'
import { wantedBy } from './wanted.js'

/**
 * @param {{tiles: import('./document.js').Tile[], view: import('../../chart/view.js').View, draft: import('./draft.js').Draft | null,
 *   onEdit: (id: string) => void}} props
 */
export function GridView({ tiles, view, draft, onEdit }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  const width = useWidth(box)
  const latest = useMemo(() => new Latest(), [])
  const sources = useMemo(() => new Sources(view, latest), [view, latest])
  void latest.selections.value
  const shown = JSON.stringify(tiles.map(({ kind, series, selection }) => [kind, series, selection]))
  const wanted = wantedBy(tiles, (tile) => latest.seriesOf(tile))
  useEffect(() => void learn(), [])
  useEffect(() => void latest.want(tiles), [latest, shown])
  useEffect(() => () => (sources.close(), latest.close()), [sources, latest])
  for (const range of wanted.keys()) sources.of(range)
  const asked = [...wanted].map(([range, one]) => [range, one.only, sources.of(range).view.range.value])
  const pixels = Math.max(300, Math.round((width * widest(tiles)) / columns))
  useEffect(() => {
    if (width) sources.show(wanted, pixels)
  }, [JSON.stringify(asked), Math.ceil(pixels / 200)])
  const failed = [...wanted.keys()].map((range) => sources.of(range).history.failed.value).find(Boolean)
  return html`${failed && html`<${Failure} error=${failed} since=${sources.loadedAt()} />`}
    <div class="board" ref=${box}>
      ${tiles.map((tile) => html`<${Tile} key=${tile.id} tile=${tile} source=${sources.all.get(tile.range ?? '')} latest=${latest} draft=${draft} onEdit=${onEdit} />`)}
    </div>`
}

/** @param {import('./document.js').Tile[]} tiles */
function widest(tiles) {
  return Math.max(1, ...tiles.filter(({ kind }) => kind === 'chart').map(({ w }) => w))
}

/** The sources of a board's ranges. */
class Sources {
  /**
   * @param {import('../../chart/view.js').View} view the board's
   * @param {Latest} latest
   */
  constructor(view, latest) {
    this.view = view
    this.latest = latest
    /** @type {Map<string, Source>} */
    this.all = new Map()
    this.since = 0
  }

  /** @param {string} range */
  of(range) {
    let source = this.all.get(range)
    if (!source) {
      const view = range ? new TileView(range) : this.view
      this.all.set(range, (source = new Source(view, (reading) => this.latest.hear(reading))))
    }
    return source
  }

  /**
   * @param {Map<string, import('./wanted.js').Wanted>} wanted
   * @param {number} pixels
   */
  show(wanted, pixels) {
    for (const [range, source] of this.all) {
      const one = wanted.get(range)
      if (one) void source.show(one, source.view.range.peek(), pixels).then(() => this.loaded(source))
      else {
        source.close()
        this.all.delete(range)
      }
    }
  }

  /** @param {Source} source */
  loaded(source) {
    if (!source.history.failed.peek()) this.since = Date.now()
  }

  loadedAt() {
    return this.since
  }

  close() {
    this.all.forEach((source) => source.close())
    this.all.clear()
  }
}

/** @param {import('preact').RefObject<HTMLElement | null>} box */
function useWidth(box) {
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const observer = new ResizeObserver(() => setWidth(box.current?.clientWidth ?? 0))
    if (box.current) observer.observe(box.current)
    return () => observer.disconnect()
  }, [])
  return width
}
