// A board's document, as it is kept on the server, in files and in a person's hands.

import { parseRange } from '../../core/range.js'
import { freePlace, settle } from './grid.js'

/** @typedef {{device: string, metric: string}} Series */
/** @typedef {{tag?: string, device?: string, metric: string}} Selection */
/** @typedef {'chart' | 'value' | 'states' | 'table' | 'note'} Kind */

/**
 * @typedef {object} Tile
 * @property {string} id
 * @property {Kind} kind
 * @property {number} x
 * @property {number} y
 * @property {number} w
 * @property {number} h
 * @property {string} [title]
 * @property {Series[]} [series]
 * @property {Selection} [selection]
 * @property {string} [range] its own, in place of the board's
 * @property {string} [text] of a note
 * @property {Record<string, string | number | boolean>} [options]
 */

/** @typedef {{range?: string, tiles: Tile[]}} Document */

/** The kinds of tiles that show series. */
export const kinds = /** @type {Kind[]} */ (['chart', 'value', 'states', 'table'])

const sizes = { chart: [6, 5], value: [3, 2], states: [6, 3], table: [4, 5], note: [4, 2] }
const wide = { chart: [6, 6], value: [6, 4], states: [6, 5], table: [4, 6], note: [4, 2] } // of all devices with a tag
const mostTiles = 100

/**
 * A new tile in the first free place.
 * @param {Tile[]} tiles those that there are
 * @param {Kind} kind
 * @param {Partial<Tile>} shows
 * @returns {Tile}
 */
export function newTile(tiles, kind, shows) {
  const [w, h] = (shows.selection ? wide : sizes)[kind]
  return { id: freeId(tiles), kind, ...freePlace(tiles, w, h), w, h, ...shows }
}

/** @param {Tile[]} tiles */
function freeId(tiles) {
  let n = tiles.length + 1
  while (tiles.some(({ id }) => id === 't' + n)) n++
  return 't' + n
}

/**
 * Reads what a file holds as a board.
 * @param {string} content
 * @returns {{board: {name: string, document: Document}} | {wrong: string}} wrong is where it is not a board: a path such as
 *   document.tiles[3].kind, or '' when it is no JSON
 */
export function readBoard(content) {
  let value
  try {
    value = JSON.parse(content)
  } catch {
    return { wrong: '' }
  }
  if (!isObject(value)) return { wrong: 'name' }
  const document = isObject(value.document) ? value.document : value
  if (typeof (value.name ?? '') !== 'string' || String(value.name ?? '').length > 100) return { wrong: 'name' }
  if (!Array.isArray(document.tiles) || document.tiles.length > mostTiles) return { wrong: 'document.tiles' }
  if (document.range !== undefined && !isRange(document.range)) return { wrong: 'document.range' }
  const ids = new Set()
  for (const [i, tile] of document.tiles.entries()) {
    const wrong = wrongOf(tile) ?? (ids.has(tile.id) ? 'id' : null)
    if (wrong !== null) return { wrong: `document.tiles[${i}]${wrong && '.' + wrong}` }
    ids.add(tile.id)
  }
  const { range, tiles } = /** @type {Document} */ (document)
  return { board: { name: String(value.name ?? ''), document: { ...(range && { range }), tiles: settle(tiles) } } }
}

/**
 * What is wrong with a tile: the name of a member, '' for all of it, null for nothing.
 * @param {any} tile
 */
function wrongOf(tile) {
  if (!isObject(tile)) return ''
  if (typeof tile.id !== 'string' || !/^[A-Za-z0-9_-]{1,40}$/.test(tile.id)) return 'id'
  if (![...kinds, 'note'].includes(tile.kind)) return 'kind'
  for (const name of ['x', 'y', 'w', 'h']) if (!Number.isInteger(tile[name]) || tile[name] < 0) return name
  if (tile.w < 1 || tile.x + tile.w > 12) return 'w'
  if (tile.h < 1) return 'h'
  if (tile.range !== undefined && !isRange(tile.range)) return 'range'
  if (tile.title !== undefined && typeof tile.title !== 'string') return 'title'
  if (tile.kind === 'note') return typeof (tile.text ?? '') === 'string' ? null : 'text'
  if (tile.selection !== undefined) return isSelection(tile.selection) ? null : 'selection'
  return Array.isArray(tile.series) && tile.series.every(isSeries) ? null : 'series'
}

/** @param {any} value */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @param {any} value */
function isSeries(value) {
  return isObject(value) && typeof value.device === 'string' && typeof value.metric === 'string'
}

/** @param {any} value */
function isSelection(value) {
  return isObject(value) && typeof value.metric === 'string' && typeof (value.tag ?? value.device) === 'string'
}

/** @param {any} value */
function isRange(value) {
  return typeof value === 'string' && parseRange(value, 0, 'UTC') !== null
}

/**
 * A board as a file that readBoard reads.
 * @param {{name: string, document: Document}} board
 */
export function writeBoard({ name, document }) {
  return JSON.stringify({ name, document }, null, 2) + '\n'
}
