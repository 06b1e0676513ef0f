// A board that is being changed. It lasts until it is saved or given up, also when its person looks at another page meanwhile.

import { signal } from 'preact'
import { ApiError, api } from '../../core/api.js'
import { text } from '../../text/en.js'
import { byPlace, move, nudge, resize, settle } from './grid.js'
import { newTile } from './document.js'
import { tileName } from './names.js'

/** @typedef {import('./document.js').Tile} Tile */
/** @typedef {import('./document.js').Kind} Kind */

/**
 * @typedef {object} Board as the API answers it
 * @property {string} id
 * @property {string} name
 * @property {string | null} owner
 * @property {boolean} mine
 * @property {boolean} editable
 * @property {boolean} shared
 * @property {number} version
 * @property {string} updated_at
 * @property {import('./document.js').Document} document
 * @property {number} left_out
 */

/** The boards that are being changed, by id. */
export const drafts = signal(/** @type {ReadonlyMap<string, Draft>} */ (new Map()))

const mostUndone = 50

/** What a board is to become. */
export class Draft {
  /** @param {Board} board */
  constructor(board) {
    this.id = board.id
    this.version = board.version
    this.name = signal(board.name)
    this.shared = signal(board.shared)
    this.range = signal(board.document.range ?? '')
    this.tiles = signal(settle([...board.document.tiles]).sort(byPlace))
    /** Whether there is something to save. */
    this.dirty = signal(false)
    this.busy = signal(false)
    this.failed = signal(/** @type {Error | null} */ (null))
    /** Whether another one has saved the board since. */
    this.conflict = signal(false)
    /** What was done last, for those who do not see it. */
    this.said = signal('')
    /** @type {import('preact').Signal<readonly Tile[][]>} */
    this.before = signal(/** @type {readonly Tile[][]} */ ([]))
  }

  /**
   * @param {Tile[]} tiles
   * @param {Tile[]} [before] what to go back to: without it, what there is now
   */
  put(tiles, before = this.tiles.peek()) {
    if (tiles === before) return
    this.before.value = [...this.before.peek(), before].slice(-mostUndone)
    this.tiles.value = tiles
    this.dirty.value = true
  }

  undo() {
    const steps = this.before.peek()
    if (!steps.length) return
    this.before.value = steps.slice(0, -1)
    this.tiles.value = steps[steps.length - 1]
    this.said.value = text.boards.undone
  }

  /**
   * @param {Kind} kind
   * @param {Partial<Tile>} shows
   * @returns {Tile}
   */
  add(kind, shows) {
    const tiles = this.tiles.peek()
    const tile = newTile(tiles, kind, shows)
    this.put([...tiles, tile])
    this.said.value = text.boards.added(tileName(tile))
    return tile
  }

  /**
   * @param {string} id
   * @param {Partial<Tile>} changes
   */
  change(id, changes) {
    this.put(this.tiles.peek().map((tile) => (tile.id === id ? { ...tile, ...changes } : tile)))
  }

  /** @param {string} id */
  remove(id) {
    const gone = this.find(id)
    this.put(settle(this.tiles.peek().filter((tile) => tile.id !== id)))
    if (gone) this.said.value = text.boards.removed(tileName(gone))
  }

  /**
   * @param {string} id
   * @returns {Tile | undefined}
   */
  find(id) {
    return this.tiles.peek().find((tile) => tile.id === id)
  }

  /**
   * One step by keyboard.
   * @param {string} id
   * @param {number} dx
   * @param {number} dy
   * @param {boolean} size whether it is the size that changes
   */
  step(id, dx, dy, size) {
    const tile = this.find(id)
    if (!tile) return
    const tiles = this.tiles.peek()
    this.put(size ? resize(tiles, id, tile.w + dx, tile.h + dy) : nudge(tiles, id, dx, dy))
    this.sayPlace(id)
  }

  /**
   * A step of a drag, from where tiles were when it began.
   * @param {Tile[]} base
   * @param {string} id
   * @param {number} dx columns
   * @param {number} dy rows
   * @param {boolean} size
   */
  drag(base, id, dx, dy, size) {
    const tile = /** @type {Tile} */ (base.find((one) => one.id === id))
    this.tiles.value = size
      ? resize(base, id, tile.w + dx, Math.max(1, tile.h + dy))
      : move(base, id, tile.x + dx, tile.y + dy)
  }

  /** @param {string} id */
  sayPlace(id) {
    const tile = this.find(id)
    if (tile) this.said.value = text.boards.placed(tileName(tile), tile.x + 1, tile.y + 1, tile.w, tile.h)
  }

  /** The document as it is to be kept. */
  document() {
    const range = this.range.peek()
    return { ...(range && { range }), tiles: [...this.tiles.peek()].sort(byPlace) }
  }

  /**
   * @param {{overwrite?: boolean}} [options] overwrite puts it in the place of what another one has saved
   * @returns {Promise<boolean>} whether it is saved
   */
  async save({ overwrite = false } = {}) {
    if (this.busy.peek()) return false
    this.busy.value = true
    this.failed.value = null
    try {
      if (overwrite) this.version = (await api.get('/api/boards/' + this.id)).version
      const [version, name, shared] = [this.version, this.name.peek().trim(), this.shared.peek()]
      await api.put('/api/boards/' + this.id, { version, name, shared, document: this.document() })
      endDraft(this.id)
      return true
    } catch (error) {
      this.conflict.value = error instanceof ApiError && error.status === 409
      if (!this.conflict.value) this.failed.value = /** @type {Error} */ (error)
      return false
    } finally {
      this.busy.value = false
    }
  }
}

/**
 * Begins to change a board.
 * @param {Board} board
 */
export function beginDraft(board) {
  drafts.value = new Map(drafts.peek()).set(board.id, new Draft(board))
  addEventListener('beforeunload', warn)
}

/**
 * Gives up what has not been saved.
 * @param {string} id
 */
export function endDraft(id) {
  const rest = new Map(drafts.peek())
  rest.delete(id)
  drafts.value = rest
  if (!rest.size) removeEventListener('beforeunload', warn)
}

/** @param {Event} event */
function warn(event) {
  if ([...drafts.peek().values()].some(({ dirty }) => dirty.peek())) event.preventDefault()
}
