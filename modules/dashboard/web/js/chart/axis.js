// What stands at the axes: times that change with the zoom, and at most a handful of values.

import { number, time } from '../core/format.js'
import { zonedTime } from '../core/zoned.js'

const minute = 60
const hour = 60 * minute
const day = 24 * hour
const steps = [1, 2, 5, 10, 15, 30]
  .map((s) => s)
  .concat([1, 2, 5, 10, 15, 30].map((m) => m * minute))
  .concat([1, 2, 3, 6, 12].map((h) => h * hour))
  .concat([1, 2, 7, 14].map((d) => d * day))
  .concat([1, 2, 3, 6, 12, 24, 60, 120].map((m) => m * 30 * day))

/**
 * The times to mark between two, in the calendar of a zone.
 * @param {number} from seconds
 * @param {number} to seconds
 * @param {number} most how many there is room for
 * @param {string} zone IANA name
 * @returns {{at: number[], step: number}} seconds
 */
export function timeTicks(from, to, most, zone) {
  const step = steps.find((s) => (to - from) / s <= most) ?? steps[steps.length - 1]
  /** @type {number[]} */
  const at = []
  const zoned = zonedTime(from * 1000, zone)
  for (let n = 0; n < 1000; n++) {
    const ts = tick(zoned, step, n) / 1000
    if (ts > to) break
    if (ts >= from && ts !== at[at.length - 1]) at.push(ts)
  }
  return { at, step }
}

/**
 * @param {import('../core/zoned.js').Zoned} zoned where to begin
 * @param {number} step seconds
 * @param {number} n
 */
function tick(zoned, step, n) {
  if (step >= 30 * day) {
    const months = step / (30 * day)
    const first = Math.floor((zoned.month - 1) / months) * months + 1
    return zoned.at(zoned.year, first + n * months, 1)
  }
  if (step >= day) return zoned.at(zoned.year, zoned.month, zoned.day + (n * step) / day)
  const begin = Math.floor((zoned.hour * hour + zoned.minute * minute + zoned.second) / step) * step
  return zoned.at(zoned.year, zoned.month, zoned.day, 0, 0, begin + n * step)
}

/**
 * The texts of such times. Where the day changes, it is said.
 * @param {number[]} at
 * @param {number} step
 * @param {string} zone
 * @returns {string[]}
 */
export function timeTexts(at, step, zone) {
  let before = ''
  return at.map((seconds) => {
    const ts = seconds * 1000
    if (step >= 365 * day) return time(ts, 'year', zone)
    if (step >= 30 * day) return time(ts, 'month', zone)
    if (step >= day) return time(ts, step >= 7 * day ? 'day' : 'weekday', zone)
    const today = time(ts, 'weekday', zone)
    const text = before && today !== before ? today : time(ts, step < minute ? 'second' : 'minute', zone)
    before = today
    return text
  })
}

/**
 * The texts of values, with as many decimals as their distance needs. Large ones are written in thousands, millions, or more.
 * @param {number[]} at
 * @returns {string[]}
 */
export function valueTexts(at) {
  const step = at.length > 1 ? Math.abs(at[1] - at[0]) : 1
  const most = at.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
  const [scale, letter] = scales.find(([limit]) => most >= limit * 10 && step * 1e4 >= limit) ?? [1, '']
  const decimals = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step / scale) - 1e-9)))
  return at.map((value) => (value === 0 ? '0' : number(value / scale, decimals) + letter))
}

/** @type {[number, string][]} */
const scales = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]
