// How history is asked for a chart: readings as they are while there are few, else buckets that are about a pixel wide.

import { api } from '../core/api.js'
import { lengthOf } from '../core/range.js'
import { zoneName } from '../core/prefs.js'

/**
 * @typedef {object} Wanted which series: all metrics of the devices when metrics are absent
 * @property {string[]} devices ids
 * @property {string[]} [metrics]
 * @property {string[]} [only] keys of series (see keyOf), when not each of the devices is wanted with each of the metrics
 */

/** @typedef {import('../core/range.js').Range} Range */
/** @typedef {'avg' | 'min' | 'max' | 'median'} Aggregate what of a bucket the line shows */

/**
 * @typedef {object} Answer
 * @property {number} from Unix ms
 * @property {number} to Unix ms
 * @property {number} seq the place in the log that it is true as of
 * @property {import('./points.js').Answered[]} series
 * @property {number} width of a bucket in ms, 0 for readings as they are
 * @property {string} interval the width as the server writes it, '' for readings
 */

/** The aggregates that people choose from. */
export const aggregates = /** @type {Aggregate[]} */ (['avg', 'median', 'min', 'max'])

const shortRange = 3_600_000 // ms that are asked for as they are, before anything is known of the series
const room = 1.5 // readings a pixel that are asked for: live ones come on top, and nothing draws more than two

/**
 * How far ahead of now, in ms, a reading is still one of a range that ends now: clocks of devices differ, and what is stored at this
 * moment has the time of this moment. What history leaves out for being too new no stream has either, since that goes on behind it.
 */
export const forecast = 300_000

/**
 * The query of a history call.
 * @param {Wanted} wanted
 * @param {Range} range
 * @returns {Record<string, string | string[] | undefined>}
 */
export function queryOf({ devices, metrics }, range) {
  return {
    device: devices,
    metric: metrics,
    from: String(range.from),
    to: String(range.to + (range.last ? forecast : 0)),
  }
}

/**
 * The aggregates to ask for: those of the band, the count, and the one of the line.
 * @param {Aggregate} aggregate
 */
export function bucketAggregates(aggregate) {
  return [...new Set([aggregate, 'avg', 'min', 'max', 'count'])]
}

/**
 * @param {Wanted} wanted
 * @param {Range} range
 * @param {{pixels: number, step: number, aggregate: Aggregate}} look step is the time between readings in ms, 0 when it is not known
 * @param {AbortSignal} signal
 * @returns {Promise<Answer & {step: number}>} with the step as it is known now
 */
export async function ask(wanted, range, { pixels, step, aggregate }, signal) {
  const span = range.to - range.from
  const wider = range.last ? 1 + forecast / span : 1 // of what is asked for, not all is shown
  const most = Math.max(3, Math.floor(room * pixels))
  const query = queryOf(wanted, range)
  const readings = async () => {
    const answer = await api.get('/api/readings', { ...query, max_points: most }, signal)
    return answer.downsampled?.method === 'raw' ? { ...answer, width: 0, interval: '' } : null
  }
  if (step ? span / step <= most : span <= shortRange) {
    const answer = await readings()
    if (answer) return { ...answer, step }
  }
  const buckets = {
    interval: 'auto',
    max_points: Math.max(3, Math.floor(pixels * wider)),
    agg: bucketAggregates(aggregate),
    tz: zoneName(),
  }
  const answer = await api.get('/api/readings', { ...query, ...buckets }, signal)
  const count = Math.max(0, ...answer.series.map(countOf))
  const known = count > 1 ? span / count : step
  if (count <= most) {
    const few = await readings() // seldom enough to be shown as they are
    if (few) return { ...few, step: known }
  }
  return { ...answer, width: lengthOf(answer.interval), step: known }
}

/** @param {import('./points.js').Answered} answered */
function countOf({ columns, points }) {
  const at = columns.indexOf('count')
  return points.reduce((sum, point) => sum + (point[at] ?? 0), 0)
}
