// The history of all tiles of a board that share a range.

import { signal } from 'preact'
import { History } from '../../chart/history.js'
import { View } from '../../chart/view.js'

/** @typedef {import('../../core/range.js').Range} Range */

/** A history that says what it hears, so that a board's newest values need no following of their own. */
class HeardHistory extends History {
  /** @param {(reading: import('../../live/hub.js').Reading) => void} hear */
  constructor(hear) {
    super({ devices: [] })
    this.hear = hear
  }

  /**
   * @override
   * @param {import('../../live/hub.js').Reading} reading
   */
  put(reading) {
    super.put(reading)
    this.hear(reading)
  }
}

/** A view of tiles with a range of their own: zooming in them does not change the URL, which has the board's. */
export class TileView extends View {
  /** @param {string} otherwise */
  constructor(otherwise) {
    super(otherwise)
    this.own = signal(/** @type {Range | null} */ (null))
    /** @type {(Range | null)[]} */
    this.steps = []
  }

  /**
   * @override
   * @param {string} _ what the URL says, which is not about this view
   * @param {string} zone
   * @returns {Range}
   */
  read(_, zone) {
    return this.own?.value ?? super.read(this.otherwise, zone)
  }

  /**
   * @override
   * @param {Range} range
   */
  show(range) {
    this.steps.push(this.own.peek())
    if (this.steps.length > 50) this.steps.shift()
    this.preview.value = null
    this.own.value = range
  }

  /** @override */
  back() {
    this.preview.value = null
    if (this.steps.length) this.own.value = this.steps.pop() ?? null
    else this.wider()
  }
}

/** The history of a range, whatever is wanted of it. */
export class Source {
  /**
   * @param {View} view
   * @param {(reading: import('../../live/hub.js').Reading) => void} hear
   */
  constructor(view, hear) {
    this.view = view
    this.history = new HeardHistory(hear)
  }

  /**
   * Loads; what was there stays until the answer.
   * @param {import('./wanted.js').Wanted} wanted
   * @param {Range} range
   * @param {number} pixels
   */
  async show(wanted, range, pixels) {
    this.history.want(wanted, 'avg')
    await this.history.load(range, pixels)
  }

  close() {
    this.history.close()
  }
}
