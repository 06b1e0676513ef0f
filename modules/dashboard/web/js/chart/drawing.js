// Draws series on a canvas, and once more after each change of them, of the range, or of the size: on the screen only.

import { effect, untracked } from 'preact'
import uPlot from 'uplot'
import { wall } from '../core/clock.js'
import { inTurn, outOfTurn } from '../core/turns.js'
import { columnsOf } from './columns.js'
import { addGestures } from './gestures.js'
import { commonGaps } from './paint.js'
import { plotOptions } from './plot.js'

/**
 * @typedef {object} Drawing
 * @property {() => import('./points.js').Points[]} read the points of each series; it reads signals, which draw once more
 * @property {number[]} shades
 * @property {import('./view.js').View} view
 * @property {number} height px
 * @property {import('./kind.js').Kind} kind
 * @property {string} zone
 * @property {import('preact').Signal<boolean>} seen whether the box is on the screen
 * @property {import('preact').Signal<number | null>} cursor Unix ms
 * @property {import('preact').Signal<boolean>} undrawn told whether something on the screen has yet to be drawn
 */

/**
 * Draws into the box until it is told to end.
 * @param {HTMLElement} box
 * @param {Drawing} drawing
 * @returns {() => void} ends it
 */
export function draw(box, drawing) {
  const plot = new Plot(box, drawing)
  const stops = [
    effect(() => {
      if (!drawing.seen.value) return plot.rest()
      const points = drawing.read()
      return untracked(() => plot.show(points))
    }),
    effect(() => {
      void drawing.view.preview.value
      void drawing.view.range.value
      if (drawing.seen.value) plot.ask()
    }),
    slideOn(drawing, plot),
  ]
  const resized = new ResizeObserver(([{ contentRect }]) => plot.resize(contentRect.width))
  resized.observe(box)
  return () => {
    stops.forEach((stop) => stop())
    resized.disconnect()
    plot.rest()
    plot.end()
  }
}

/** What is drawn, when its turn has come. It is made again when its columns change. */
class Plot {
  /**
   * @param {HTMLElement} box
   * @param {Drawing} drawing
   */
  constructor(box, drawing) {
    this.box = box
    this.drawing = drawing
    /** @type {uPlot | null} */
    this.plot = null
    this.band = false
    /** @type {import('./points.js').Points[]} */
    this.points = []
    this.stale = false // whether the points have changed since they were drawn
    this.width = 0 // px, 0 until it is known
    this.drawnAt = -Infinity // ms of performance.now()
    this.gestures = () => {}
  }

  /** @param {import('./points.js').Points[]} points */
  show(points) {
    this.points = points
    this.stale = true
    if (!this.plot) this.drawing.undrawn.value = true
    this.ask()
  }

  ask() {
    if (this.width) inTurn(this, () => this.draw())
  }

  draw() {
    this.fit()
    if (this.stale) this.refresh()
    else this.slide()
    this.stale = false
    this.drawnAt = performance.now()
    this.drawing.undrawn.value = false
  }

  refresh() {
    const band = this.drawing.kind !== 'bands' && this.points.some((p) => p.width > 0)
    const data = /** @type {uPlot.AlignedData} */ (columnsOf(this.points, { band }))
    if (this.plot && band === this.band) {
      this.plot.setData(data, false)
      return this.slide()
    }
    this.end()
    this.band = band
    return this.make(data)
  }

  /** @param {uPlot.AlignedData} data */
  make(data) {
    const { shades, zone, view, height, kind } = this.drawing
    const look = { shades, band: this.band, zone, sync: view.key, width: this.width, height, kind }
    const options = plotOptions(look, {
      onSelect: (from, to) => view.zoom(from, to),
      onCursor: (u) => this.point(u),
      edges: () => view.edges(),
      gaps: () => commonGaps(this.points, Math.min(wall(), view.edges().to)),
      points: () => this.points,
    })
    this.plot = new uPlot(options, data, this.box)
    this.gestures = addGestures(this.plot, view)
  }

  /** @param {uPlot} u */
  point(u) {
    const { left } = u.cursor
    this.drawing.cursor.value = left === undefined || left < 0 ? null : u.posToVal(left, 'x') * 1000
  }

  slide() {
    const { from, to } = this.drawing.view.edges()
    this.plot?.setScale('x', { min: from / 1000, max: to / 1000 })
  }

  /** @param {number} width px */
  resize(width) {
    const before = this.width
    this.width = Math.round(width) || before
    if (!before) this.ask()
    else if (this.drawing.seen.peek()) this.fit()
  }

  fit() {
    const { plot, width } = this
    if (plot && plot.width !== width) plot.setSize({ width, height: this.drawing.height })
  }

  /** Nothing of it is on the screen any more. */
  rest() {
    outOfTurn(this)
    this.drawing.undrawn.value = false
  }

  end() {
    this.gestures()
    this.plot?.destroy()
    this.plot = null
  }
}

/**
 * Moves a live chart on by about a pixel a time, all charts of a page at once, unless a reading has just moved it.
 * @param {Drawing} drawing
 * @param {Plot} plot
 */
function slideOn({ view, seen }, plot) {
  const look = () => {
    const { last } = view.range.peek()
    const now = performance.now()
    const pace = Math.max(1000, Math.min(60_000, last / 1000))
    const due = now - plot.drawnAt > pace / 2
    if (last && due && seen.peek() && !document.hidden && !view.preview.peek()) plot.ask()
    timer = setTimeout(look, pace - (now % pace))
  }
  let timer = setTimeout(look, 1000)
  return () => clearTimeout(timer)
}
