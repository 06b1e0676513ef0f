// The options of uPlot for a chart of this page.

import uPlot from 'uplot'
import { wall } from '../core/clock.js'
import { timeTexts, timeTicks, valueTexts } from './axis.js'
import { colour, shadeColour } from './colours.js'
import { bringForward, hatch, paintStates } from './paint.js'

/**
 * @typedef {object} Look
 * @property {number[]} shades of the series, see colours.js
 * @property {boolean} band whether each series has its least and greatest values
 * @property {string} zone IANA name
 * @property {string} sync charts with the same share their cursor
 * @property {number} width px
 * @property {number} height px
 * @property {import('./kind.js').Kind} kind
 */

/**
 * @typedef {object} Hooks
 * @property {(from: number, to: number) => void} onSelect a stretch was dragged over, Unix ms
 * @property {(u: uPlot) => void} onCursor
 * @property {() => {from: number, to: number}} edges of the time axis, Unix ms
 * @property {() => [number, number][]} gaps
 * @property {() => import('./points.js').Points[]} points
 */

/**
 * @param {Look} look
 * @param {Hooks} hooks
 * @returns {uPlot.Options}
 */
export function plotOptions(look, hooks) {
  const states = look.kind === 'bands'
  return {
    width: look.width,
    height: look.height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false, range: () => edgesInSeconds(hooks.edges()) },
      y: { range: (_, low, high) => (states ? [0, 1] : valueRange(low, high)) },
    },
    axes: [timeAxis(look.zone), valueAxis(look)],
    series: [{}, ...look.shades.flatMap((shade) => lines(shade, look))],
    bands: look.band ? look.shades.map((shade, i) => bandOf(shade, 3 * i)) : [],
    cursor: {
      sync: { key: look.sync, scales: ['x', null] },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7, show: (u, i) => point(u, i, !states && isValue(look, i)) },
      y: false,
      focus: { prox: 24, dist: (_, i, __, at, mouse) => (states || !isValue(look, i) ? Infinity : at - mouse) },
    },
    focus: { alpha: look.shades.length > 1 ? 0.35 : 1 },
    hooks: {
      drawClear: [(u) => hatch(u, hooks.gaps())],
      draw: [
        (u) =>
          states ? paintStates(u, hooks.points(), look.shades, Math.min(wall(), hooks.edges().to)) : bringForward(u),
      ],
      setSelect: [(u) => select(u, hooks.onSelect)],
      setCursor: [hooks.onCursor],
    },
  }
}

/** @param {{from: number, to: number}} edges */
function edgesInSeconds({ from, to }) {
  return /** @type {[number, number]} */ ([from / 1000, to / 1000])
}

/**
 * @param {number | null} low
 * @param {number | null} high
 * @returns {[number, number]}
 */
function valueRange(low, high) {
  if (low === null || high === null) return [0, 1]
  if (low === high) {
    const around = Math.abs(low) * 0.05 || 1
    return [low - around, high + around]
  }
  const [from, to] = uPlot.rangeNum(low, high, 0.06, true)
  return [from ?? low, to ?? high]
}

/**
 * @param {string} zone
 * @returns {uPlot.Axis}
 */
function timeAxis(zone) {
  let step = 1
  return {
    stroke: colour('--text-soft'),
    font: `12px ${colour('--font')}`,
    size: 28,
    gap: 4,
    grid: { stroke: colour('--grid'), width: 1 },
    ticks: { show: false },
    splits: (u, _, from, to) => {
      const ticks = timeTicks(from, to, Math.max(2, u.bbox.width / devicePixelRatio / 66), zone)
      step = ticks.step
      return ticks.at
    },
    values: (_, at) => timeTexts(at, step, zone),
  }
}

/**
 * At most five values, and room for them that charts above each other have alike unless their numbers are long.
 * @param {Look} look
 * @returns {uPlot.Axis}
 */
function valueAxis(look) {
  const states = look.kind === 'bands'
  return {
    stroke: colour('--text-soft'),
    font: `12px ${colour('--font')}`,
    size: (_, texts) => Math.max(52, 12 + 7 * Math.max(0, ...(texts ?? []).map((text) => text.length))),
    gap: 6,
    space: Math.max(36, look.height / 5),
    grid: { stroke: colour('--grid'), width: 1 },
    ticks: { show: false },
    ...(states ? { splits: () => [] } : {}),
    values: (_, at) => valueTexts(at),
  }
}

/**
 * @param {number} shade
 * @param {Look} look
 * @returns {uPlot.Series[]}
 */
function lines(shade, look) {
  const stroke = shadeColour(shade)
  if (look.kind === 'bands') return [{ paths: () => null, points: { show: false } }] // see paintStates
  const paths = look.kind === 'steps' ? uPlot.paths.stepped?.({ align: 1 }) : uPlot.paths.linear?.()
  /** @type {uPlot.Series} */
  const line = {
    stroke,
    width: 1.5,
    spanGaps: false,
    paths,
    points: { show: few, filter: lonely, size: 4, fill: stroke },
  }
  /** @type {uPlot.Series} */
  const edge = { stroke: 'transparent', width: 0, spanGaps: false, paths, points: { show: false } }
  return look.band ? [line, edge, edge] : [line]
}

/**
 * Points are drawn where there are few.
 * @param {uPlot} u
 * @param {number} _
 * @param {number} from
 * @param {number} to
 */
function few(u, _, from, to) {
  return (to - from) * 12 < u.bbox.width / devicePixelRatio
}

/**
 * Among many, points are drawn that a line does not show: those with a gap on both sides.
 * @param {uPlot} u
 * @param {number} i
 * @param {boolean} all
 * @returns {number[] | null}
 */
function lonely(u, i, all) {
  if (all) return null
  const found = []
  let alone = -1 // the last point, as long as nothing but a gap is before it
  let open = true // whether a gap is before the next one
  const column = u.data[i]
  for (let at = 0; at < column.length; at++) {
    const value = column[at]
    if (value === undefined) continue
    if (value === null) {
      if (alone >= 0) found.push(alone)
      open = true
      alone = -1
    } else {
      alone = open ? at : -1
      open = false
    }
  }
  if (alone >= 0) found.push(alone)
  return found
}

/**
 * @param {number} shade
 * @param {number} before how many columns of series there are before this one's
 * @returns {uPlot.Band}
 */
function bandOf(shade, before) {
  return { series: [before + 3, before + 2], fill: faded(shadeColour(shade)) }
}

/** @param {string} hex such as #2f6fed */
function faded(hex) {
  return hex + '24' // 14 %
}

/**
 * @param {Look} look
 * @param {number} i
 */
function isValue(look, i) {
  return !look.band || i % 3 === 1
}

/**
 * @param {uPlot} u
 * @param {number} i
 * @param {boolean} seen
 */
function point(u, i, seen) {
  const mark = document.createElement('div')
  mark.hidden = !seen
  mark.className = 'u-cursor-pt'
  const { stroke } = u.series[i]
  mark.style.background = typeof stroke === 'function' ? String(stroke(u, i)) : String(stroke)
  return mark
}

/**
 * @param {uPlot} u
 * @param {(from: number, to: number) => void} onSelect
 */
function select(u, onSelect) {
  const { left, width } = u.select
  if (width < 4) return
  const from = u.posToVal(left, 'x') * 1000
  const to = u.posToVal(left + width, 'x') * 1000
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  onSelect(Math.round(from), Math.round(to))
}
