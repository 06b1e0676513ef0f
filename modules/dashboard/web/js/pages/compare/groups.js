// Which series share a chart: those of one unit, and states by themselves.

import { keyOf } from '../../chart/history.js'
import { kindOf } from '../../chart/kind.js'

/** @typedef {{device: string, metric: string}} Series */

/**
 * @param {Series[]} series
 * @param {Map<string, import('../../chart/history.js').Shown>} known
 * @param {(series: Series) => string} unitOf of those that have no points
 * @returns {{key: string, unit: string, series: Series[]}[]} in the order in which units come first
 */
export function groupsOf(series, known, unitOf) {
  /** @type {Map<string, {key: string, unit: string, series: Series[]}>} */
  const groups = new Map()
  for (const one of series) {
    const shown = known.get(keyOf(one.device, one.metric))
    const unit = shown?.unit ?? unitOf(one)
    const states = kindOf('auto', [shown]) === 'bands'
    const key = states ? 'states' : `unit ${unit}`
    const group = groups.get(key) ?? { key, unit, series: [] }
    group.series.push(one)
    groups.set(key, group)
  }
  return [...groups.values()]
}
