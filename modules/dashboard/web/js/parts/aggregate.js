// What of a bucket the lines of a page show: it stands in the URL.

import { html } from 'preact'
import { aggregates } from '../chart/ask.js'
import { setQuery } from '../core/route.js'
import { text } from '../text/en.js'

/**
 * @param {URLSearchParams} query
 * @returns {import('../chart/ask.js').Aggregate}
 */
export function readAggregate(query) {
  return aggregates.find((one) => one === query.get('agg')) ?? 'avg'
}

/**
 * The choice, which there is when points stand for many readings.
 * @param {{history: import('../chart/history.js').History, aggregate: import('../chart/ask.js').Aggregate}} props
 */
export function AggregateChoice({ history, aggregate }) {
  void history.loads.value
  if (!history.answer?.width) return null
  const choose = (/** @type {Event} */ event) => {
    const { value } = /** @type {HTMLSelectElement} */ (event.target)
    setQuery({ agg: value === 'avg' ? undefined : value })
  }
  return html`<select aria-label=${text.device.aggregate} title=${text.device.aggregate} value=${aggregate} onChange=${choose}>
    ${aggregates.map((one) => html`<option key=${one} value=${one}>${text.chart.aggregates[one]}</option>`)}</select>`
}
