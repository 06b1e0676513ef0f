// How a series is drawn.

import { isState } from './states.js'
import { rateOf } from './rate.js'

/** @typedef {'auto' | 'line' | 'steps' | 'bands' | 'rate' | 'value'} Kind */
/** @typedef {import('./history.js').Shown} Shown */

/** The kinds that people choose from. */
export const kinds = /** @type {Kind[]} */ (['auto', 'line', 'steps', 'bands', 'rate', 'value'])

/**
 * What auto means for some series: bands for states, which have no unit, lines for all else.
 * @param {Kind} kind
 * @param {(Shown | undefined)[]} shown
 * @returns {Kind}
 */
export function kindOf(kind, shown) {
  if (kind !== 'auto') return kind
  const known = shown.filter((one) => one !== undefined && one.points.length > 0)
  return known.length > 0 && known.every((one) => one && !one.unit && isState(one.points)) ? 'bands' : 'line'
}

/**
 * A series as that kind shows it.
 * @param {Shown | undefined} shown
 * @param {Kind} kind
 * @returns {Shown | undefined}
 */
export function shownAs(shown, kind) {
  if (kind !== 'rate' || !shown) return shown
  const { points, per } = rateOf(shown.points)
  return { ...shown, unit: `${shown.unit ?? ''}/${per}`, points, last: undefined }
}
