// Export: what is chosen stands in the page's address, and the file comes straight from the server.

import { html, useEffect, useMemo } from 'preact'
import { View } from '../../../chart/view.js'
import { now } from '../../../core/clock.js'
import { zone, zoneName } from '../../../core/prefs.js'
import { rangeAt } from '../../../core/range.js'
import { route, setQuery } from '../../../core/route.js'
import { Copy } from '../../../parts/copy.js'
import { learn } from '../../../parts/known.js'
import { RangeBar } from '../../../parts/range.js'
import { text } from '../../../text/en.js'
import { Amount, useAmount } from './amount.js'
import { Select } from '../select.js'
import { DeviceChoice, MetricChoice } from './series.js'
import { aggregates, commandLine, curlLine, exportAddress, fileName, intervals, readSelection } from './request.js'

/** @typedef {import('./request.js').Selection} Selection */

export function Export() {
  const view = useMemo(() => new View('24h'), [])
  const { query } = route.value
  const selection = useMemo(() => readSelection(query), [query.toString()])
  const range = view.range.value
  useEffect(() => void learn(), [])
  const amount = useAmount(selection, range)
  const path = exportAddress(selection, range, zone.value && zoneName())
  const file = fileName(selection, rangeAt(range, now.peek()))
  const t = text.transfer
  return html`<section class="transfer export">
    <h2>${t.export}</h2>
    <p class="soft">${t.exportWhat}</p>
    <div class="settings"><${DeviceChoice} selection=${selection} /><${MetricChoice} selection=${selection} /></div>
    <${RangeBar} view=${view} />
    <div class="settings"><${Shape} selection=${selection} /></div>
    <${Amount} amount=${amount} raw=${!selection.interval} />
    <div class="actions"><${Download} path=${path} file=${file} name=${t.formatNames[selection.format]} tooMuch=${amount.tooMuch} /></div>
    <details class="programs" open=${amount.tooMuch}><summary>${t.programs}</summary>
      <h3>${t.address}</h3><${Copy} value=${location.origin + path} block />
      <h3>${t.curl}</h3><${Copy} value=${curlLine(location.origin, path, file)} block />
      ${!selection.interval && html`<h3>${t.command}</h3><${Copy} value=${commandLine(location.origin, selection, range, file)} block />`}
      <p class="soft">${t.key}</p></details>
  </section>`
}

/** @param {{path: string, file: string, name: string, tooMuch: boolean}} props */
function Download({ path, file, name, tooMuch }) {
  const label = text.transfer.download(name)
  if (tooMuch) return html`<button disabled>${label}</button>`
  return html`<a class="button primary" href=${path} download=${file}>${label}</a>`
}

/** @param {{selection: Selection}} props */
function Shape({ selection }) {
  const t = text.transfer
  const names = /** @type {Record<string, string>} */ (t.intervals)
  const widths = [{ value: '', name: t.raw }, ...intervals.map((one) => ({ value: one, name: t.by(names[one]) }))]
  const formats = /** @type {const} */ (['csv', 'ndjson']).map((one) => ({ value: one, name: t.formatNames[one] }))
  return html`<${Select} label=${t.format} name="export-format" value=${selection.format} options=${formats}
      choose=${(/** @type {string} */ value) => setQuery({ format: value === 'csv' ? '' : value })} />
    <${Select} label=${t.interval} name="interval" value=${selection.interval} options=${widths}
      choose=${(/** @type {string} */ value) => setQuery({ interval: value })} />
    ${selection.interval && html`<${Aggregates} chosen=${selection.aggregates} />`}`
}

/** @param {{chosen: string[]}} props */
function Aggregates({ chosen }) {
  const t = text.transfer
  const names = /** @type {Record<string, string>} */ (t.aggregateNames)
  const toggle = (/** @type {string} */ name) =>
    setQuery({ agg: aggregates.filter((one) => (one === name) !== chosen.includes(one)) })
  return html`<fieldset class="aggregates"><legend>${t.aggregates}</legend><div>
    ${aggregates.map(
      (name) => html`<label key=${name} class="check"><input type="checkbox" checked=${chosen.includes(name)}
      disabled=${chosen.length === 1 && chosen[0] === name} onChange=${() => toggle(name)} /> ${names[name]}</label>`,
    )}</div></fieldset>`
}
