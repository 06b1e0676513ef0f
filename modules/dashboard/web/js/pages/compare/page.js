// Any series over one time axis. What is compared stands in the URL: series=device:metric for each.

import { html, useEffect, useMemo, useRef, useState } from 'preact'
import { Chart } from '../../chart/chart.js'
import { linksOf, parseSeries, seriesText } from '../../chart/links.js'
import { keyOf } from '../../chart/history.js'
import { useHistory } from '../../chart/use.js'
import { View } from '../../chart/view.js'
import { rank } from '../../core/rank.js'
import { devicePath, route, setQuery } from '../../core/route.js'
import { AggregateChoice, readAggregate } from '../../parts/aggregate.js'
import { Finder } from '../../parts/finder.js'
import { askServer, known, learn } from '../../parts/known.js'
import { RangeBar } from '../../parts/range.js'
import { Empty, Failure } from '../../parts/states.js'
import { Urls } from '../../parts/urls.js'
import { text } from '../../text/en.js'
import { groupsOf } from './groups.js'

/** @typedef {import('./groups.js').Series} Series */

const found = 12 // metrics that the search shows

export function Compare() {
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  const view = useMemo(() => new View('6h'), [])
  const { query } = route.value
  const series = useMemo(() => readSeries(query), [query.getAll('series').join('\n')])
  const aggregate = readAggregate(query)
  const history = useHistory(series.length ? wantedOf(series) : null, { view, box, aggregate })
  useEffect(() => void learn(), [])
  void history.loads.value
  const error = history.failed.value
  const groups = groupsOf(series, history.series, unitOf)
  return html`<section ref=${box}>
    <header class="device-head"><h1>${text.nav.compare}</h1>${series.length > 0 && html`<${Actions} history=${history} />`}</header>
    <${Chosen} series=${series} />
    ${!series.length && html`<${Empty} title=${text.compare.empty} />`}
    <div hidden=${!series.length}>
      <${RangeBar} view=${view}><div class="choices"><${AggregateChoice} history=${history} aggregate=${aggregate} /></div><//>
    </div>
    ${series.length > 0 && error && html`<${Failure} error=${error} since=${history.loadedAt} />`}
    ${groups.map(
      (group) => html`<${Chart} key=${group.key} history=${history} series=${group.series} view=${view} names
        height=${groups.length > 1 ? 240 : 360} />`,
    )}
  </section>`
}

/**
 * @param {URLSearchParams} query
 * @returns {Series[]} each once
 */
function readSeries(query) {
  /** @type {Map<string, Series>} */
  const list = new Map()
  for (const said of query.getAll('series')) {
    const one = parseSeries(said)
    if (one) list.set(keyOf(one.device, one.metric), one)
  }
  return [...list.values()]
}

/** @param {Series[]} series */
function writeSeries(series) {
  setQuery({ series: series.map(seriesText) })
}

/** @param {Series[]} series */
function wantedOf(series) {
  return {
    devices: [...new Set(series.map(({ device }) => device))],
    metrics: [...new Set(series.map(({ metric }) => metric))],
    only: series.map(({ device, metric }) => keyOf(device, metric)),
  }
}

/**
 * The unit of a series without points, as far as the search knows it.
 * @param {Series} series
 */
function unitOf({ device, metric }) {
  return known.value.find(({ value }) => value?.device === device && value.metric === metric)?.value.unit ?? ''
}

/** @param {{series: Series[]}} props */
function Chosen({ series }) {
  const taken = new Set(series.map(({ device, metric }) => keyOf(device, metric)))
  const find = (/** @type {string} */ said) => {
    const metrics = known.value.filter(
      ({ kind, value }) => kind === 'metric' && !taken.has(keyOf(value.device, value.metric)),
    )
    return rank(metrics, said, found)
  }
  const add = (/** @type {{value?: any}} */ { value }) => {
    writeSeries([...readSeries(new URLSearchParams(location.search)), { device: value.device, metric: value.metric }])
  }
  const remove = (/** @type {Series} */ one) => writeSeries(series.filter((other) => other !== one))
  return html`<div class="chosen">
    <ul aria-label=${text.compare.shown}>
      ${series.map(
        (
          one,
        ) => html`<li key=${keyOf(one.device, one.metric)}><a href=${devicePath(one.device)}>${one.device}</a> ${one.metric}
          <button class="quiet" aria-label=${text.compare.remove(one.device, one.metric)} title=${text.action.remove}
            onClick=${() => remove(one)}>✕</button></li>`,
      )}
    </ul>
    <${Finder} label=${text.compare.add} name="series" find=${find} choose=${add} onFocus=${learn} onSay=${askServer} keep />
  </div>`
}

/** @param {{history: import('../../chart/history.js').History}} props */
function Actions({ history }) {
  const [open, setOpen] = useState(false)
  void history.loads.value
  const links = linksOf(history)
  if (!links) return null
  return html`<div class="actions">
    <a class="button" href=${links.csv} download=${text.compare.file} title=${text.chart.csv}>${text.chart.csvShort}</a>
    <button onClick=${() => setOpen(true)}>${text.chart.urls}</button>
    ${open && html`<${Urls} links=${links} onClose=${() => setOpen(false)} />`}
  </div>`
}
