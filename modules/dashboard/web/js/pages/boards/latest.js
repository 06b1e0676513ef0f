// The newest value of each series of a board: asked for once a minute, which also finds the devices of selections, and kept up
// to date by what arrives live.

import { signal } from 'preact'
import { api } from '../../core/api.js'
import { keyOf } from '../../chart/history.js'
import { mostSelected, selectionKey } from './wanted.js'

/** @typedef {import('./document.js').Tile} Tile */
/** @typedef {import('./document.js').Series} Series */
/** @typedef {{device: string, metric: string, unit: string, ts: number, value: number}} Newest */

const every = 60_000 // ms
const pace = 500 // ms between two drawings

/** It belongs to one board that is shown, and is closed with it. */
export class Latest {
  constructor() {
    /** @type {Map<string, Newest>} by key of the series */
    this.newest = new Map()
    /** @type {Map<string, {series: Series[], more: number}>} what selections have found, and how many devices besides */
    this.selected = new Map()
    /** Raised when a value has changed. */
    this.revision = signal(0)
    /** Raised when selections have found other devices. */
    this.selections = signal(0)
    this.failed = signal(/** @type {Error | null} */ (null))
    /** @type {Tile[]} */
    this.tiles = []
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.drawing = undefined
    this.turn = 0
  }

  /**
   * Takes the tiles that there are now.
   * @param {Tile[]} tiles
   */
  want(tiles) {
    this.tiles = tiles
    return this.ask()
  }

  async ask() {
    clearTimeout(this.timer)
    const turn = ++this.turn
    try {
      await Promise.all([this.askSeries(), ...this.tiles.map((tile) => this.askSelection(tile))])
      if (turn === this.turn) this.failed.value = null
    } catch (error) {
      if (turn === this.turn) this.failed.value = /** @type {Error} */ (error)
    }
    if (turn === this.turn) this.timer = setTimeout(() => this.ask(), this.failed.value ? every / 6 : every)
  }

  async askSeries() {
    const wanted = this.tiles.flatMap(({ series }) => series ?? [])
    if (!wanted.length) return
    const device = [...new Set(wanted.map((s) => s.device))]
    const metric = [...new Set(wanted.map((s) => s.metric))]
    const answer = await api.get('/api/readings/latest', { device, metric })
    answer.series.forEach((/** @type {Newest} */ one) => this.put(one))
  }

  /** @param {Tile} tile */
  async askSelection({ selection }) {
    if (!selection) return
    const { tag, device, metric } = selection
    const answer = await api.get('/api/readings/latest', { tag, device, metric })
    const found = answer.series.slice(0, mostSelected)
    found.forEach((/** @type {Newest} */ one) => this.put(one))
    const series = found.map((/** @type {Newest} */ one) => ({ device: one.device, metric: one.metric }))
    const key = selectionKey(selection)
    const before = this.selected.get(key)
    const now = { series, more: answer.series.length - found.length }
    if (JSON.stringify(before) === JSON.stringify(now)) return
    this.selected.set(key, now)
    this.selections.value++
  }

  /**
   * The series of a tile as far as they are known.
   * @param {Tile} tile
   * @returns {Series[]}
   */
  seriesOf({ series, selection }) {
    return selection ? (this.selected.get(selectionKey(selection))?.series ?? []) : (series ?? [])
  }

  /** @param {import('../../live/hub.js').Reading} reading */
  hear({ device, ts, values }) {
    for (const [metric, value] of Object.entries(values)) {
      const before = this.newest.get(keyOf(device, metric))
      if (before) this.put({ ...before, ts, value })
    }
  }

  /** @param {Newest} one */
  put(one) {
    const key = keyOf(one.device, one.metric)
    const before = this.newest.get(key)
    if (before && before.ts > one.ts) return
    this.newest.set(key, one)
    this.drawing ??= setTimeout(() => {
      this.drawing = undefined
      this.revision.value++
    }, pace)
  }

  close() {
    this.turn++
    clearTimeout(this.timer)
    clearTimeout(this.drawing)
  }
}
