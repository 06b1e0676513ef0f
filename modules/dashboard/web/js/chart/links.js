// The addresses of the API at which a program gets what a chart shows.

import { address } from '../core/api.js'
import { lengthText } from '../core/range.js'
import { zoneName } from '../core/prefs.js'
import { bucketAggregates, queryOf } from './ask.js'

/**
 * @typedef {object} Links
 * @property {string} history
 * @property {string} csv
 * @property {string} stream which goes on where the history ends
 */

/**
 * @param {import('./history.js').History} history
 * @param {{device: string, metric: string}[]} [series] all of the history when absent
 * @returns {Links | null} null before something has been loaded
 */
export function linksOf(history, series) {
  const { answer, range, wanted, aggregate } = history
  if (!answer || !range) return null
  const devices = series ? [...new Set(series.map((one) => one.device))] : wanted.devices
  const metrics = series ? [...new Set(series.map((one) => one.metric))] : wanted.metrics
  const which = { device: devices, metric: metrics }
  const buckets = answer.width ? { interval: answer.interval, agg: bucketAggregates(aggregate), tz: zoneName() } : {}
  const ends = range.last ? { from: '-' + relative(range.last) } : { from: String(range.from), to: String(range.to) }
  const query = { ...queryOf({ devices, metrics }, range), ...ends, ...buckets }
  return {
    history: address('/api/readings', query),
    csv: address('/api/readings', { ...query, format: 'csv' }),
    stream: address('/api/stream', { ...which, ...buckets, since: String(answer.seq) }),
  }
}

/**
 * A length as the API takes it: it has no years.
 * @param {number} ms
 */
function relative(ms) {
  const text = lengthText(ms)
  return text.endsWith('y') ? `${Math.round(ms / 86_400_000)}d` : text
}

/**
 * A series as it stands in an address: device:metric. Colons of the device are written as %3A.
 * @param {{device: string, metric: string}} series
 */
export function seriesText({ device, metric }) {
  return `${device.replaceAll('%', '%25').replaceAll(':', '%3A')}:${metric}`
}

/**
 * @param {string} text
 * @returns {{device: string, metric: string} | null}
 */
export function parseSeries(text) {
  const colon = text.indexOf(':')
  if (colon < 1 || colon === text.length - 1) return null
  const device = text.slice(0, colon).replaceAll('%3A', ':').replaceAll('%25', '%')
  return { device, metric: text.slice(colon + 1) }
}

/**
 * The path of the page that shows these series together.
 * @param {{device: string, metric: string}[]} series
 * @param {string} [range]
 */
export function comparePath(series, range) {
  return address('/compare', { series: series.map(seriesText), range })
}
