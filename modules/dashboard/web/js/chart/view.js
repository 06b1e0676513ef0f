// The range that all charts of a page share, which stands in the URL, and the steps that people take in it.

import { computed, signal } from 'preact'
import { wall } from '../core/clock.js'
import { zoneName } from '../core/prefs.js'
import { lengthText, parseRange, rangeAt, rangeText } from '../core/range.js'
import { route, setQuery } from '../core/route.js'

/** @typedef {import('../core/range.js').Range} Range */

const shortest = 1000 // ms that can be zoomed into
const steps = 50 // back that are remembered

/** A page has one View, which it makes when it is first drawn. */
export class View {
  /** @param {string} otherwise the range when the URL names none, such as 1h */
  constructor(otherwise) {
    this.otherwise = otherwise
    const said = computed(() => route.value.query.get('range') ?? '')
    /** What the charts show; other changes of the URL leave it as it is. */
    this.range = computed(() => this.read(said.value, zoneName()))
    /** @type {import('preact').Signal<{from: number, to: number} | null>} what a gesture shows until it ends */
    this.preview = signal(/** @type {{from: number, to: number} | null} */ (null))
    /** Charts with the same key share their cursor. */
    this.key = 'view' + Math.random()
    /** @type {Range[]} */
    this.before = []
  }

  /**
   * @param {string} said
   * @param {string} zone
   * @returns {Range}
   */
  read(said, zone) {
    const now = wall()
    return parseRange(said, now, zone) ?? /** @type {Range} */ (parseRange(this.otherwise, now, zone))
  }

  /** The edges to draw now: those of a gesture under way, or of the range, which moves on with the clock. */
  edges() {
    return this.preview.value ?? rangeAt(this.range.value, wall())
  }

  /** @param {Range} range */
  show(range) {
    const text = rangeText(range)
    this.preview.value = null
    if (text === rangeText(this.range.peek())) return
    this.before.push(this.range.peek())
    if (this.before.length > steps) this.before.shift()
    setQuery({ range: text })
  }

  /**
   * Shows a part of what is there, or more.
   * @param {number} from
   * @param {number} to
   */
  zoom(from, to) {
    if (to - from >= shortest) this.show({ from: Math.round(from), to: Math.round(to), last: 0 })
    else this.preview.value = null
  }

  /** A gesture has ended: its range is taken. */
  settle() {
    const shown = this.preview.peek()
    if (shown) this.zoom(shown.from, shown.to)
  }

  /** Goes back to what was shown before the last step; where there was none, such as behind a link, shows more. */
  back() {
    const before = this.before.pop()
    this.preview.value = null
    if (before) setQuery({ range: rangeText(before) })
    else this.wider()
  }

  /** Shows twice as much around what is there. */
  wider() {
    this.scale(2)
  }

  /** Shows half of what is there. */
  closer() {
    this.scale(0.5)
  }

  /** @param {number} factor */
  scale(factor) {
    const { from, to, last } = rangeAt(this.range.peek(), wall())
    if (last) return this.show({ from: 0, to: 0, last: niceLength(last * factor) })
    const more = ((to - from) * (factor - 1)) / 2
    return this.zoom(from - more, to + more)
  }

  /** Shows the newest, as long a range as now. */
  live() {
    const { from, to, last } = this.range.peek()
    if (!last) this.show({ from: 0, to: 0, last: niceLength(to - from) })
  }

  /**
   * Goes on by parts of the range: 1 is one range later, -0.5 half of one earlier.
   * @param {number} parts
   */
  step(parts) {
    const { from, to, last } = rangeAt(this.range.peek(), wall())
    const by = (to - from) * parts
    if (to + by < wall()) this.zoom(from + by, to + by)
    else if (!last) this.live()
  }
}

/** @param {number} ms */
function niceLength(ms) {
  return ms > 120_000 ? Math.round(ms / 60_000) * 60_000 : Math.max(1000, Math.round(ms / 1000) * 1000)
}

/** The range's text as buttons have it, for the one that is pressed. */
export function pressed(/** @type {Range} */ range) {
  return range.last ? lengthText(range.last) : ''
}
