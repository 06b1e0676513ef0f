// About how much a file of an export will be, by the server's count of what is in it.

import { api } from '../../../core/api.js'
import { lengthOf } from '../../../core/range.js'
import { endsOf } from './request.js'

/** @typedef {import('../../../core/range.js').Range} Range */
/** @typedef {import('./request.js').Selection} Selection */

/**
 * @typedef {object} Estimate
 * @property {number} rows
 * @property {number} bytes
 * @property {boolean} more whether there are series that have not been counted
 */

const most = 20_000 // series that are counted
const width = '366d' // of the buckets that are counted: few, and the server has their counts

/**
 * @param {Selection} selection
 * @param {Range} range
 * @param {AbortSignal} signal
 * @returns {Promise<Estimate>}
 */
export async function estimate(selection, range, signal) {
  const { devices, metrics } = selection
  const query = { device: devices, metric: metrics, ...endsOf(range), interval: width, agg: 'count', limit: most }
  const answer = await api.get('/api/readings', query, signal)
  return estimateOf(selection, answer.series, answer.to - answer.from, Boolean(answer.next_cursor))
}

/**
 * @param {Selection} selection
 * @param {{device: string, metric: string, points: (number | null)[][]}[]} series counts in buckets
 * @param {number} span of the range, in ms
 * @param {boolean} more
 * @returns {Estimate}
 */
export function estimateOf(selection, series, span, more) {
  let [rows, bytes] = [0, 0]
  const buckets = selection.interval ? Math.ceil(span / widthOf(selection.interval)) + 1 : Infinity
  for (const { device, metric, points } of series) {
    const count = points.reduce((sum, [, n]) => sum + (n ?? 0), 0)
    const own = Math.min(count, buckets)
    rows += own
    bytes += own * (device.length + metric.length + rowBytes(selection))
  }
  return { rows, bytes, more }
}

/** @param {string} interval */
function widthOf(interval) {
  return interval.endsWith('mo') ? 30 * 86_400_000 : lengthOf(interval)
}

const value = 6 // characters that a value has as a rule

/**
 * The bytes of a row besides the names of its series: `,,2026-11-01T12:00:00.000Z,21.5` and
 * `{"device":"","metric":"","ts":1793534400000,"value":21.5}`.
 * @param {Selection} selection
 */
function rowBytes({ format, interval, aggregates }) {
  const columns = interval ? aggregates : ['value']
  if (format === 'csv') return 27 + columns.length * (1 + value)
  return 45 + columns.reduce((sum, name) => sum + name.length + 4 + value, 0)
}
