// Operations: what this instance does, against its limits, over the last hour.

import { html, useRef, useSignal, useState } from 'preact'
import { duration, time } from '../../core/format.js'
import { zone, zoneName } from '../../core/prefs.js'
import { can } from '../../core/session.js'
import { useLoad } from '../../parts/load.js'
import { Empty, Failure, Loading } from '../../parts/states.js'
import { text } from '../../text/en.js'
import { Figure } from './figure.js'
import { grouped } from './groups.js'
import { newer } from './report.js'
import { spanOf } from './shape.js'
import { FigureTable } from './table.js'
import { Verdict } from './verdict.js'

/** @typedef {import('./report.js').Report} Report */

const every = 10_000 // ms, as the server samples

export function Operations() {
  const t = text.operations
  if (!can('admin')) return html`<h1>${text.nav.operations}</h1><${Empty} title=${t.forbidden} />`
  return html`<${Figures} />`
}

function Figures() {
  const last = useRef(/** @type {Report | null} */ (null))
  const load = async (/** @type {AbortSignal} */ signal) => (last.current = await newer(last.current, signal))
  const { data, error, since, reload } = useLoad(load, [], { every })
  const cursor = useSignal(/** @type {number | null} */ (null))
  return html`<div class="head operations-head"><h1>${text.nav.operations}</h1>${data && html`<${Instance} report=${data} />`}</div>
    ${error && html`<${Failure} error=${error} since=${data ? since : 0} retry=${reload} />`}
    ${!data && !error && html`<${Loading} />`}
    ${
      data &&
      html`<div class=${error ? 'operations stale' : 'operations'}>
        <${Verdict} figures=${data.figures} settings=${data.settings} />
        ${grouped(data.figures).map((group) => html`<${Group} key=${group.name} group=${group} report=${data} cursor=${cursor} />`)}
      </div>`
    }`
}

/** @param {{report: Report}} props */
function Instance({ report }) {
  const at = zone.value && zoneName()
  const { from, to } = spanOf(report.times)
  const t = text.operations
  return html`<p class="soft" title=${t.started(time(Date.parse(report.started_at), 'moment', at))}>
    ${t.instance(report.version, duration(1000 * report.uptime_seconds))}</p>
    <p class="soft">${t.span(time(from, 'minute', at), time(to, 'minute', at), report.step_seconds)}</p>`
}

/**
 * @param {{group: {name: string, figures: import('./report.js').Figure[]}, report: Report, cursor: import('./trend.js').Cursor}} props
 */
function Group({ group, report, cursor }) {
  const [open, setOpen] = useState(false)
  const groups = /** @type {Record<string, string[]>} */ (text.operations.groups)
  const [title, about] = groups[group.name]
  const { times, step_seconds, settings } = report
  return html`<section class="group">
    <div class="head"><h2>${title}</h2><p class="soft">${about}</p>
      <button class="quiet table-switch" aria-expanded=${open} aria-label=${text.operations.table(title, open)} onClick=${() => setOpen(!open)}>
        ${open ? text.chart.hideTable : text.chart.showTable}</button></div>
    <ul class="figures">${group.figures.map(
      (figure) =>
        html`<${Figure} key=${figure.name} figure=${figure} setting=${settings.find(({ name }) => name === figure.setting)} times=${times} step=${1000 * step_seconds} cursor=${cursor} />`,
    )}</ul>
    ${open && html`<${FigureTable} title=${title} figures=${group.figures} times=${times} />`}
  </section>`
}
