// What uPlot does not draw: hatched gaps, bands of states, the line that is pointed at in front of the others.

import { colour, shadeColour } from './colours.js'
import { stretchesOf } from './states.js'

/** @typedef {import('./points.js').Points} Points */
/** @typedef {import('uplot').default} uPlot */

/**
 * The stretches in which none of the series has readings.
 * @param {Points[]} series
 * @param {number} end Unix ms
 * @returns {[number, number][]}
 */
export function commonGaps(series, end) {
  const known = series.filter((points) => points.length > 1)
  if (!known.length) return []
  return known.map((points) => points.gaps(end)).reduce(overlap)
}

/**
 * @param {[number, number][]} a
 * @param {[number, number][]} b
 * @returns {[number, number][]}
 */
function overlap(a, b) {
  /** @type {[number, number][]} */
  const both = []
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const from = Math.max(a[i][0], b[j][0])
    const to = Math.min(a[i][1], b[j][1])
    if (from < to) both.push([from, to])
    if (a[i][1] < b[j][1]) i++
    else j++
  }
  return both
}

/**
 * @param {uPlot} u
 * @param {[number, number][]} gaps
 */
export function hatch(u, gaps) {
  if (!gaps.length) return
  const { ctx, bbox } = u
  const pattern = ctx.createPattern(stripes(colour('--line')), 'repeat')
  if (!pattern) return
  ctx.save()
  ctx.fillStyle = pattern
  for (const [from, to] of gaps) {
    const [left, right] = inside(u, from, to)
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height)
  }
  ctx.restore()
}

/** @param {string} stroke */
function stripes(stroke) {
  const size = Math.round(8 * devicePixelRatio)
  const tile = document.createElement('canvas')
  tile.width = tile.height = size
  const ctx = /** @type {CanvasRenderingContext2D} */ (tile.getContext('2d'))
  ctx.strokeStyle = stroke
  ctx.globalAlpha = 0.6
  ctx.lineWidth = devicePixelRatio
  ctx.beginPath()
  for (const shift of [-size, 0, size]) {
    ctx.moveTo(shift, size)
    ctx.lineTo(shift + size, 0)
  }
  ctx.stroke()
  return tile
}

/**
 * The edges of a stretch on the canvas, within what is plotted.
 * @param {uPlot} u
 * @param {number} from Unix ms
 * @param {number} to Unix ms
 */
function inside(u, from, to) {
  const { left, width } = u.bbox
  const at = (/** @type {number} */ ts) => Math.min(left + width, Math.max(left, u.valToPos(ts / 1000, 'x', true)))
  return [at(from), at(to)]
}

/**
 * Draws states, a row for each series: on is high, off is a line at the bottom, both is half as strong.
 * @param {uPlot} u
 * @param {Points[]} series
 * @param {number[]} shades
 * @param {number} end up to when the last state holds, Unix ms
 */
export function paintStates(u, series, shades, end) {
  const { ctx, bbox } = u
  const row = bbox.height / series.length
  const line = 2 * devicePixelRatio
  series.forEach((points, i) => {
    const bottom = bbox.top + (i + 1) * row - line
    for (const { from, to, state } of stretchesOf(points, end)) {
      const [left, right] = inside(u, from, to)
      if (right <= left) continue
      ctx.globalAlpha = state === 0.5 ? 0.5 : 1
      ctx.fillStyle = state === 0 ? colour('--text-soft') : shadeColour(shades[i])
      const high = state === 0 ? line : row - 3 * line
      ctx.fillRect(left, bottom - high, Math.max(devicePixelRatio, right - left), high)
    }
  })
  ctx.globalAlpha = 1
}

/**
 * Draws the line that is pointed at once more, over the others.
 * @param {uPlot} u
 */
export function bringForward(u) {
  const focused = /** @type {any[]} */ (u.series).find((s) => s._focus)
  const path = focused?._paths?.stroke
  if (!(path instanceof Path2D)) return
  const { ctx, bbox } = u
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  if (focused._paths.clip) ctx.clip(focused._paths.clip) // its gaps
  ctx.strokeStyle = focused._stroke
  ctx.lineWidth = 2 * devicePixelRatio
  ctx.lineJoin = 'round'
  ctx.stroke(path)
  ctx.restore()
}
