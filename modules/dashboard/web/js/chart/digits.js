// How many digits a series has.

import { decimalsOf } from '../core/format.js'

const some = 50 // of the newest values tell

/**
 * The decimals of its readings; of buckets the least and the greatest values are readings.
 * @param {import('./points.js').Points} points
 */
export function digitsOf({ width, values, least, greatest }) {
  const lists = width ? [least, greatest] : [values]
  return Math.max(...lists.map((list) => decimalsOf(list.slice(-some))))
}
