// How a figure stands to its limit.

import { kindOf } from './groups.js'

/** @typedef {'' | 'near' | 'reached' | 'fault'} State '' is as it should be */

const few = 6 // samples that tell: about a minute
const near = 0.8 // of the limit

/**
 * @param {import('./report.js').Figure} figure
 * @returns {State}
 */
export function stateOf({ name, limit, values }) {
  const kind = kindOf(name)
  const last = /** @type {number[]} */ (values.slice(-few).filter((value) => value !== null))
  if (!last.length) return ''
  if (kind === 'fault') return last.some((value) => value > 0) ? 'fault' : ''
  if (limit === null || (kind !== 'capacity' && kind !== 'timeout')) return ''
  if (last[last.length - 1] >= limit) return 'reached'
  const average = last.reduce((sum, value) => sum + value, 0) / last.length
  return average >= near * limit ? 'near' : ''
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
