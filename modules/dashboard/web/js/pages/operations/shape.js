// The shape of a figure over the hour: its scale, and its line in a box of 1000 by 100.

/** @typedef {{from: number, to: number}} Span Unix ms */

/**
 * @typedef {object} Scale
 * @property {number} low
 * @property {number} high
 * @property {'none' | 'inside' | 'above'} limit where the limit is: above is far beyond what is drawn
 */

/** The size of the box. */
export const box = { width: 1000, height: 100 }

const shortest = 120_000 // ms that a chart has at least: a program that has just started
const hour = 3_600_000
const far = 20 // times the greatest value, from which on a limit would leave no shape
const farInTime = 4 // the same of a timeout: there the shape says more
const room = 1.08 // above what is drawn
const roomForWords = 1.4 // the same, where a limit is named there

/**
 * @param {number[]} times Unix ms
 * @returns {Span} the times, as all charts of a page have them
 */
export function spanOf(times) {
  const to = times[times.length - 1] ?? 0
  const first = Math.max(times[0] ?? 0, to - hour)
  return { from: Math.min(first, to - shortest), to }
}

/**
 * @param {(number | null)[]} values
 * @param {number | null} limit
 * @param {import('./groups.js').Kind} kind
 * @returns {Scale}
 */
export function scaleOf(values, limit, kind) {
  const { least, greatest } = extent(values)
  const inside = limit !== null && (greatest === 0 || limit <= (kind === 'timeout' ? farInTime : far) * greatest)
  const top = inside ? Math.max(limit, greatest) : greatest
  const where = limit === null ? 'none' : inside ? 'inside' : 'above'
  const more = where === 'none' ? room : roomForWords
  if (kind !== 'growth' || inside) return { low: 0, high: top * more || 1, limit: where }
  const height = Math.max(greatest - least, greatest * 0.01) || 1 // what hardly moves is drawn so
  return { low: Math.max(0, least - height * (room - 1)), high: least + height * more, limit: where }
}

/**
 * The least and the greatest of some values, 0 when there are none.
 * @param {(number | null)[]} values
 */
export function extent(values) {
  const known = /** @type {number[]} */ (values.filter((value) => value !== null))
  return known.length ? { least: Math.min(...known), greatest: Math.max(...known) } : { least: 0, greatest: 0 }
}

/**
 * How far up a value is, from 0 at the bottom to 1.
 * @param {number} value
 * @param {Scale} scale
 */
export function level(value, { low, high }) {
  return Math.max(0, Math.min(1, (value - low) / (high - low)))
}

/**
 * The line, and the area beneath it. It is open where nothing was measured for more than three steps; values by themselves are dots.
 * @param {number[]} times Unix ms
 * @param {(number | null)[]} values
 * @param {Span} span
 * @param {Scale} scale
 * @param {number} step ms between two samples
 * @returns {{line: string, area: string, dots: string}} of SVG
 */
export function paths(times, values, span, scale, step) {
  let line = ''
  let area = ''
  let dots = ''
  for (const points of stretches(times, values, 3 * step)) {
    const at = points.map(([ts, value]) => {
      const x = ((ts - span.from) / (span.to - span.from)) * box.width
      return `${x.toFixed(1)} ${((1 - level(value, scale)) * box.height).toFixed(1)}`
    })
    if (at.length === 1) {
      dots += `M${at[0]}h0`
      continue
    }
    line += `M${at.join('L')}`
    const x = (/** @type {string} */ point) => point.split(' ')[0]
    area += `M${x(at[0])} ${box.height}L${at.join('L')}L${x(at[at.length - 1])} ${box.height}Z`
  }
  return { line, area, dots }
}

/**
 * @param {number[]} times
 * @param {(number | null)[]} values
 * @param {number} gap ms
 * @returns {[number, number][][]} time and value
 */
function stretches(times, values, gap) {
  /** @type {[number, number][][]} */
  const found = []
  let before = -Infinity
  times.forEach((ts, i) => {
    const value = values[i]
    if (value === null) return
    if (ts - before > gap) found.push([])
    found[found.length - 1].push([ts, value])
    before = ts
  })
  return found
}

/**
 * The place of the sample that is nearest to a time.
 * @param {number[]} times in order
 * @param {number} ts
 */
export function nearest(times, ts) {
  const after = times.findIndex((time) => time >= ts)
  if (after < 0) return times.length - 1
  return after > 0 && ts - times[after - 1] < times[after] - ts ? after - 1 : after
}
