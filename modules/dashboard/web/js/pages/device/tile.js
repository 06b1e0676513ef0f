// One metric of a device: its chart, and what can be done with it.

import { html, useState } from 'preact'
import { Chart } from '../../chart/chart.js'
import { keyOf } from '../../chart/history.js'
import { kinds } from '../../chart/kind.js'
import { comparePath, linksOf } from '../../chart/links.js'
import { isCounter } from '../../chart/rate.js'
import { now } from '../../core/clock.js'
import { ago } from '../../core/format.js'
import { zoneName } from '../../core/prefs.js'
import { rangeAt, rangeText } from '../../core/range.js'
import { Menu } from '../../parts/menu.js'
import { Urls } from '../../parts/urls.js'
import { text } from '../../text/en.js'
import { chooseKind, chooseMetrics } from './shown.js'

/**
 * @param {{device: string, metric: string, lastOf: (metric: string) => number | null, history: import('../../chart/history.js').History,
 *   view: import('../../chart/view.js').View, shown: import('./shown.js').ShownMetrics, all: string[]}} props lastOf says when the newest
 *   reading of a metric was, Unix ms; all are the metrics on the page
 */
export function Tile({ device, metric, lastOf, history, view, shown, all }) {
  const [open, setOpen] = useState(false)
  const series = [{ device, metric }]
  const kind = shown.kinds[metric] ?? 'auto'
  const links = open ? linksOf(history, series) : null
  const menu = html`<${More} ...${{ series, metric, history, view, shown, all, kind }} onUrls=${() => setOpen(true)} />`
  return html`<${Chart} history=${history} series=${series} view=${view} kind=${kind} menu=${menu}
      empty=${html`<${NoReadings} metric=${metric} lastOf=${lastOf} view=${view} />`} />
    ${links && html`<${Urls} links=${links} onClose=${() => setOpen(false)} />`}`
}

/** @param {any} props */
function More({ series, metric, history, view, shown, all, kind, onUrls }) {
  void history.loads.value
  const points = history.series.get(keyOf(series[0].device, metric))?.points
  const offered = kinds.filter((one) => one !== 'rate' || kind === 'rate' || (points && isCounter(points)))
  const links = linksOf(history, series)
  return html`<${Menu} label=${text.chart.menu(metric)}>
    <span class="menu-title">${text.chart.kind}</span>
    ${offered.map(
      (one) => html`<button key=${one} class="choice" aria-pressed=${one === kind}
        onClick=${() => chooseKind(shown, metric, one)}>${text.chart.kinds[one]}</button>`,
    )}
    <hr />
    ${all.length > 1 && html`<button onClick=${() => chooseMetrics([metric])}>${text.device.onlyThis}</button>`}
    ${all.length > 1 && html`<button onClick=${() => chooseMetrics(all.filter((/** @type {string} */ one) => one !== metric))}>${text.device.hide}</button>`}
    <a href=${comparePath(series, rangeText(view.range.value))}>${text.device.compare}</a>
    ${links && html`<a href=${links.csv} download=${`${series[0].device}-${metric}.csv`}>${text.chart.csv}</a>`}
    ${links && html`<button onClick=${onUrls}>${text.chart.urls}</button>`}
  <//>`
}

/** @param {{metric: string, lastOf: (metric: string) => number | null, view: import('../../chart/view.js').View}} props */
function NoReadings({ metric, lastOf, view }) {
  const lastTs = lastOf(metric)
  const { from, to } = rangeAt(view.range.value, now.value)
  const show = () => view.zoom(Number(lastTs) - (to - from) * 0.9, Number(lastTs) + (to - from) * 0.1)
  const outside = lastTs !== null && (lastTs < from || lastTs >= to)
  return html`<p>${text.chart.noReadings}
    ${outside && html` ${text.chart.lastOne(ago(lastTs, now.value, zoneName()))} <button class="link" onClick=${show}>${text.chart.showIt}</button>`}</p>`
}
