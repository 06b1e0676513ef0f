// Which series a board's tiles need, all together by range: one call and one set of points serve all tiles of a range.

import { keyOf } from '../../chart/history.js'

/** @typedef {import('./document.js').Tile} Tile */
/** @typedef {import('./document.js').Series} Series */
/** @typedef {import('./document.js').Selection} Selection */

/** How many devices of a selection a tile shows. */
export const mostSelected = 50

/** The name of a selection. */
export const selectionKey = (/** @type {Selection} */ { tag = '', device = '', metric }) =>
  `${tag}\n${device}\n${metric}`

/**
 * @typedef {object} Wanted
 * @property {string[]} devices
 * @property {string[]} metrics
 * @property {string[]} only keys of the series
 */

/**
 * What is wanted of each range.
 * @param {Tile[]} tiles
 * @param {(tile: Tile) => Series[]} seriesOf
 * @returns {Map<string, Wanted>} by a tile's own range, '' for the board's
 */
export function wantedBy(tiles, seriesOf) {
  /** @type {Map<string, {devices: Set<string>, metrics: Set<string>, only: Set<string>}>} */
  const sets = new Map()
  for (const tile of tiles) {
    const series = seriesOf(tile)
    if (!series.length) continue
    const range = tile.range ?? ''
    const set = sets.get(range) ?? { devices: new Set(), metrics: new Set(), only: new Set() }
    sets.set(range, set)
    for (const { device, metric } of series) {
      set.devices.add(device)
      set.metrics.add(metric)
      set.only.add(keyOf(device, metric))
    }
  }
  return new Map([...sets].map(([range, set]) => [range, listsOf(set)]))
}

/** @param {{devices: Set<string>, metrics: Set<string>, only: Set<string>}} set */
function listsOf({ devices, metrics, only }) {
  return { devices: [...devices].sort(), metrics: [...metrics].sort(), only: [...only].sort() }
}
