// Draws series on a canvas, and once more after each change of them, of the range, or of the size: on the screen only.

import { effect, untracked } from 'preact'
import uPlot from 'uplot'
import { wall } from '../core/clock.js'
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
      if (!drawing.seen.value) return
      const points = drawing.read()
      untracked(() => plot.refresh(points))
    }),
    effect(() => {
      void drawing.view.preview.value
      void drawing.view.range.value
      if (drawing.seen.value) plot.slide()
    }),
    slideOn(drawing, () => plot.slide()),
  ]
  const resized = new ResizeObserver(() => plot.resize())
  resized.observe(box)
  return () => {
    stops.forEach((stop) => stop())
    resized.disconnect()
    plot.end()
  }
}

/** What is drawn. It is made again when its columns change. */
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
    this.gestures = () => {}
  }

  /** @param {import('./points.js').Points[]} points */
  refresh(points) {
    this.points = points
    const band = this.drawing.kind !== 'bands' && points.some((p) => p.width > 0)
    const data = /** @type {uPlot.AlignedData} */ (columnsOf(points, { band }))
    if (this.plot && band === this.band) {
      this.plot.setData(data, false)
      return this.slide()
    }
    this.end()
    this.band = band
    this.make(data)
  }

  /** @param {uPlot.AlignedData} data */
  make(data) {
    const { shades, zone, view, height, kind } = this.drawing
    const look = { shades, band: this.band, zone, sync: view.key, width: this.box.clientWidth || 600, height, kind }
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

  resize() {
    const { clientWidth } = this.box
    if (clientWidth && clientWidth !== this.plot?.width)
      this.plot?.setSize({ width: clientWidth, height: this.drawing.height })
  }

  end() {
    this.gestures()
    this.plot?.destroy()
    this.plot = null
  }
}

/**
 * Moves a live chart on by about a pixel a time.
 * @param {Drawing} drawing
 * @param {() => void} slide
 */
function slideOn({ view, seen }, slide) {
  const look = () => {
    const { last } = view.range.peek()
    if (last && seen.peek() && !document.hidden && !view.preview.peek()) slide()
    timer = setTimeout(look, Math.max(1000, Math.min(60_000, last / 1000)))
  }
  let timer = setTimeout(look, 1000)
  return () => clearTimeout(timer)
}
