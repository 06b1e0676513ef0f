// What the page of a device shows, as the URL's query says it: metric=…, as=metric:kind, agg=median.

import { kinds } from '../../chart/kind.js'
import { setQuery } from '../../core/route.js'
import { readAggregate } from '../../parts/aggregate.js'

/** @typedef {import('../../chart/kind.js').Kind} Kind */
/** @typedef {import('../../chart/ask.js').Aggregate} Aggregate */

/**
 * @typedef {object} ShownMetrics
 * @property {string[]} metrics those that were chosen, none for all
 * @property {Record<string, Kind>} kinds by metric
 * @property {Aggregate} aggregate
 */

/**
 * @param {URLSearchParams} query
 * @returns {ShownMetrics}
 */
export function readShown(query) {
  /** @type {Record<string, Kind>} */
  const chosen = {}
  for (const said of query.getAll('as')) {
    const at = said.lastIndexOf(':')
    const kind = kinds.find((one) => one === said.slice(at + 1))
    if (at > 0 && kind) chosen[said.slice(0, at)] = kind
  }
  return { metrics: query.getAll('metric'), kinds: chosen, aggregate: readAggregate(query) }
}

/** @param {string[]} metrics none for all */
export function chooseMetrics(metrics) {
  setQuery({ metric: metrics })
}

/**
 * @param {ShownMetrics} shown
 * @param {string} metric
 * @param {Kind} kind
 */
export function chooseKind({ kinds }, metric, kind) {
  const chosen = { ...kinds, [metric]: kind }
  setQuery({ as: Object.keys(chosen).flatMap((name) => (chosen[name] === 'auto' ? [] : [`${name}:${chosen[name]}`])) })
}
