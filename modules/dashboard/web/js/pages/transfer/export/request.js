// What is exported: read from the page's address, and written as the address of the API and as commands.

import { address } from '../../../core/api.js'
import { lengthText } from '../../../core/range.js'

/** @typedef {import('../../../core/range.js').Range} Range */

/**
 * @typedef {object} Selection
 * @property {string[]} devices ids and patterns; none for all
 * @property {string[]} metrics none for all
 * @property {'csv' | 'ndjson'} format
 * @property {string} interval '' for readings as they are
 * @property {string[]} aggregates of an interval
 */

/** Widths of buckets that are offered. */
export const intervals = ['1m', '5m', '15m', '1h', '6h', '1d', '1w', '1mo']
/** What can be made of a bucket. */
export const aggregates = ['avg', 'min', 'max', 'sum', 'count', 'first', 'last', 'median', 'p95']

/**
 * @param {URLSearchParams} query
 * @returns {Selection}
 */
export function readSelection(query) {
  const interval = query.get('interval') ?? ''
  const chosen = aggregates.filter((one) => query.getAll('agg').includes(one))
  return {
    devices: [...new Set(query.getAll('device'))],
    metrics: [...new Set(query.getAll('metric'))],
    format: query.get('format') === 'ndjson' ? 'ndjson' : 'csv',
    interval: intervals.includes(interval) ? interval : '',
    aggregates: chosen.length ? chosen : ['avg'],
  }
}

/**
 * The ends of a range as the API takes them: one that moves on with the clock stays relative. The API has no years.
 * @param {Range} range
 */
export function endsOf({ from, to, last }) {
  if (!last) return { from: String(Math.round(from)), to: String(Math.round(to)) }
  const length = lengthText(last)
  return { from: '-' + (length.endsWith('y') ? `${Math.round(last / 86_400_000)}d` : length) }
}

/**
 * The address of the API that answers with the file.
 * @param {Selection} selection
 * @param {Range} range
 * @param {string} zone whose calendar days and months follow, an IANA name
 */
export function exportAddress({ devices, metrics, format, interval, aggregates: agg }, range, zone) {
  const buckets = interval ? { interval, agg, tz: zone } : {}
  return address('/api/readings', { device: devices, metric: metrics, ...endsOf(range), ...buckets, format })
}

/**
 * The name of the file.
 * @param {Selection} selection
 * @param {Range} range as of now
 */
export function fileName({ devices, format }, range) {
  const day = (/** @type {number} */ ms) => new Date(ms).toISOString().slice(0, 10)
  const [from, to] = [day(range.from), day(range.to - 1)]
  const what = devices.length === 1 ? devices[0].replaceAll('*', '') || 'readings' : 'readings'
  return `${what}-${from === to ? from : `${from}-${to}`}.${format}`
}

/**
 * @param {string} origin
 * @param {string} path
 * @param {string} file
 */
export function curlLine(origin, path, file) {
  return `curl --compressed -H "Authorization: Bearer $KEY" -o ${quoted(file)} ${quoted(origin + path)}`
}

/**
 * The command that writes any amount, page by page; it knows raw readings only.
 * @param {string} origin
 * @param {Selection} selection
 * @param {Range} range
 * @param {string} file
 */
export function commandLine(origin, { devices, metrics, format }, range, file) {
  const { from, to } = endsOf(range)
  const parts = [
    `--url=${origin}`,
    ...devices.map((one) => '--device=' + one),
    ...metrics.map((one) => '--metric=' + one),
    `--from=${from}`,
    to && `--to=${to}`,
    `--format=${format}`,
  ]
  return `telltale export ${parts.flatMap((part) => (part ? [quoted(part)] : [])).join(' ')} -o ${quoted(file + '.gz')}`
}

/**
 * As a shell takes it for one word.
 * @param {string} word
 */
function quoted(word) {
  return /^[\w\-=:/.,@%+]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
