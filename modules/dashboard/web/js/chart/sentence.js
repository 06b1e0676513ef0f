// A chart in words, for those who do not see it.

import { quantity, time } from '../core/format.js'
import { text } from '../text/en.js'
import { digitsOf } from './digits.js'

/**
 * The newest value, the range of values and the trend of each series.
 * @param {(import('./history.js').Shown | undefined)[]} shown
 * @param {string} zone
 * @returns {string}
 */
export function sentence(shown, zone) {
  return shown.map((one) => (one && one.points.length ? ofOne(one, zone) : text.chart.noReadings)).join(' ')
}

/**
 * @param {import('./history.js').Shown} shown
 * @param {string} zone
 */
function ofOne({ device, metric, unit, points }, zone) {
  const decimals = digitsOf(points)
  const values = /** @type {number[]} */ (points.values.filter((value) => value !== null))
  const say = (/** @type {number | undefined} */ value) => quantity(value, unit, decimals)
  let least = Infinity
  let greatest = -Infinity
  for (const value of values) [least, greatest] = [Math.min(least, value), Math.max(greatest, value)]
  const first = values[0]
  const last = values[values.length - 1]
  const moved = Math.abs(last - first) < (greatest - least) * 0.1 ? 'steady' : last > first ? 'rising' : 'falling'
  return text.chart.sentence({
    device,
    metric,
    last: say(last),
    at: time(points.ts[points.length - 1], 'moment', zone),
    least: say(least),
    greatest: say(greatest),
    trend: text.chart.trend[moved],
  })
}
