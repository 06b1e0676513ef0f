// Where tiles are: on a grid of twelve columns, each as high up as those before it leave room. Their order is that of their
// places, so that a tile changes places with another one by being put where that one begins.

/**
 * @typedef {object} Placed
 * @property {string} id
 * @property {number} x column, from 0
 * @property {number} y row, from 0
 * @property {number} w columns
 * @property {number} h rows
 */

/** How many columns there are. */
export const columns = 12
const tallest = 40 // rows

/**
 * Moves every tile up as far as it goes, in the order of their places. None lies upon another afterwards.
 * @template {Placed} T
 * @param {T[]} tiles
 * @param {(a: T, b: T) => number} [order]
 * @returns {T[]} in the order in which they were given
 */
export function settle(tiles, order = byPlace) {
  /** @type {Map<string, T>} */
  const placed = new Map()
  const floor = new Array(columns).fill(0) // the first free row of each column
  for (const tile of [...tiles].sort(order)) {
    const w = Math.max(1, Math.min(columns, tile.w))
    const x = Math.max(0, Math.min(columns - w, tile.x))
    const h = Math.max(1, Math.min(tallest, tile.h))
    const y = Math.max(...floor.slice(x, x + w))
    floor.fill(y + h, x, x + w)
    placed.set(tile.id, { ...tile, x, y, w, h })
  }
  return tiles.map(({ id }) => /** @type {T} */ (placed.get(id)))
}

/**
 * @param {Placed} a
 * @param {Placed} b
 */
export function byPlace(a, b) {
  return a.y - b.y || a.x - b.x
}

/**
 * Puts a tile somewhere else; the others make room.
 * @template {Placed} T
 * @param {T[]} tiles
 * @param {string} id
 * @param {number} x
 * @param {number} y
 * @returns {T[]}
 */
export function move(tiles, id, x, y) {
  const before = tiles.find((tile) => tile.id === id)
  if (!before) return tiles
  const down = y > before.y
  const to = { ...before, x: Math.max(0, Math.min(columns - before.w, x)), y: Math.max(0, y) }
  return settle(
    tiles.map((tile) => (tile.id === id ? to : tile)),
    (a, b) => a.y - b.y || (a.id === id ? (down ? 1 : -1) : b.id === id ? (down ? -1 : 1) : a.x - b.x),
  )
}

/**
 * Moves a tile by one step in a direction: a column, or past the next tile above or below.
 * @template {Placed} T
 * @param {T[]} tiles
 * @param {string} id
 * @param {number} dx
 * @param {number} dy
 * @returns {T[]}
 */
export function nudge(tiles, id, dx, dy) {
  const tile = tiles.find((one) => one.id === id)
  if (!tile) return tiles
  if (dx) return move(tiles, id, tile.x + dx, tile.y)
  const most = heightOf(tiles)
  for (let y = tile.y + dy; y >= 0 && y <= most; y += dy) {
    const moved = move(tiles, id, tile.x, y)
    if (moved.some((one, i) => one.y !== tiles[i].y)) return moved
  }
  return tiles
}

/**
 * Gives a tile another size; the others make room.
 * @template {Placed} T
 * @param {T[]} tiles
 * @param {string} id
 * @param {number} w
 * @param {number} h
 * @returns {T[]}
 */
export function resize(tiles, id, w, h) {
  return settle(
    tiles.map((tile) => (tile.id === id ? { ...tile, w: Math.max(1, Math.min(columns - tile.x, w)), h } : tile)),
  )
}

/**
 * The first place, by rows, that is free for a tile of a size.
 * @param {Placed[]} tiles
 * @param {number} w
 * @param {number} h
 * @returns {{x: number, y: number}}
 */
export function freePlace(tiles, w, h) {
  const free = (/** @type {number} */ x, /** @type {number} */ y) =>
    tiles.every((t) => x + w <= t.x || t.x + t.w <= x || y + h <= t.y || t.y + t.h <= y)
  for (let y = 0; ; y++) for (let x = 0; x + w <= columns; x++) if (free(x, y)) return { x, y }
}

/**
 * How many rows the tiles take.
 * @param {Placed[]} tiles
 */
export function heightOf(tiles) {
  return Math.max(0, ...tiles.map(({ y, h }) => y + h))
}
