// Tiles by mouse and finger: the head moves, the corner sizes. Every step is a layout of its own, from where the drag began.

import { useRef } from 'preact'
import { columns } from './grid.js'

/** How high a row of the grid is, with the space below, in px; the style sheet says the same. */
const row = 56
const narrow = 720 // px of width below which tiles are one below the other and do not follow a finger

/**
 * @param {import('./draft.js').Draft | null} draft
 * @param {string} id
 * @returns {{move: object, size: object}} listeners for the head and the corner
 */
export function useDrag(draft, id) {
  const held = useRef(/** @type {Held | null} */ (null))
  /** @param {boolean} size */
  const listeners = (size) => ({
    onPointerDown: (/** @type {PointerEvent} */ event) => {
      if (draft && event.button === 0 && innerWidth > narrow) held.current = hold(event, draft, size)
    },
    onPointerMove: (/** @type {PointerEvent} */ event) => {
      if (draft && held.current) follow(event, held.current, draft, id)
    },
    onPointerUp: () => (draft && held.current && drop(held.current, draft, id), (held.current = null)),
    onPointerCancel: () => (draft && held.current && drop(held.current, draft, id), (held.current = null)),
  })
  return { move: listeners(false), size: listeners(true) }
}

/**
 * @typedef {object} Held
 * @property {import('./document.js').Tile[]} base where the tiles were
 * @property {number} x px
 * @property {number} y px in the document, which may scroll meanwhile
 * @property {number} column px
 * @property {boolean} size
 */

/**
 * @param {PointerEvent} event
 * @param {import('./draft.js').Draft} draft
 * @param {boolean} size
 * @returns {Held}
 */
function hold(event, draft, size) {
  const part = /** @type {HTMLElement} */ (event.currentTarget)
  part.setPointerCapture(event.pointerId)
  event.preventDefault()
  const tile = /** @type {HTMLElement} */ (part.closest('.tile'))
  tile.focus({ preventScroll: true })
  const grid = /** @type {HTMLElement} */ (tile.parentElement)
  return {
    base: draft.tiles.peek(),
    x: event.clientX,
    y: event.clientY + scrollY,
    column: grid.clientWidth / columns,
    size,
  }
}

/**
 * @param {PointerEvent} event
 * @param {Held} held
 * @param {import('./draft.js').Draft} draft
 * @param {string} id
 */
function follow(event, { base, x, y, column, size }, draft, id) {
  const dx = Math.round((event.clientX - x) / column)
  const dy = Math.round((event.clientY + scrollY - y) / row)
  draft.drag(base, id, dx, dy, size)
  if (event.clientY > innerHeight - 40) scrollBy(0, 12)
  else if (event.clientY < 40) scrollBy(0, -12)
}

/**
 * @param {Held} held
 * @param {import('./draft.js').Draft} draft
 * @param {string} id
 */
function drop({ base }, draft, id) {
  const tiles = draft.tiles.peek()
  if (
    tiles.every((tile, i) =>
      ['x', 'y', 'w', 'h'].every((n) => tile[/** @type {'x'} */ (n)] === base[i][/** @type {'x'} */ (n)]),
    )
  )
    return
  draft.put(tiles, base)
  draft.sayPlace(id)
}
