// How a figure stands to its limit.

import { kindOf } from './groups.js'

/** @typedef {'' | 'near' | 'reached' | 'fault'} State '' is as it should be */

const few = 6 // samples that tell: about a minute
const near = 0.8 // of the limit

/**
 * What is usual of what would be a fault: a pool that grows has callers wait until connections are open.
 * @type {Record<string, number>}
 */
const usual = { pool_waits: 1 }

/**
 * @param {import('./report.js').Figure} figure
 * @returns {State}
 */
export function stateOf({ name, limit, values }) {
  const kind = kindOf(name)
  const average = recent(values)
  if (average === null) return ''
  if (kind === 'fault') return average > (usual[name] ?? 0) ? 'fault' : ''
  if (limit === null || (kind !== 'capacity' && kind !== 'timeout')) return ''
  if (/** @type {number} */ (newest(values).value) >= limit) return 'reached'
  return average >= near * limit ? 'near' : ''
}

/**
 * The average of the last minute, null when nothing was measured.
 * @param {(number | null)[]} values
 */
export function recent(values) {
  const last = /** @type {number[]} */ (values.slice(-few).filter((value) => value !== null))
  return last.length ? last.reduce((sum, value) => sum + value, 0) / last.length : null
}

/**
 * The newest value that there is, and the place of it.
 * @param {(number | null)[]} values
 * @returns {{value: number | null, at: number}} at is -1 when nothing has been measured
 */
export function newest(values) {
  const at = values.findLastIndex((value) => value !== null)
  return { value: at < 0 ? null : values[at], at }
}
