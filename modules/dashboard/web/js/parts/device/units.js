// The units of a device's metrics in its form.

import { html, useState } from 'preact'
import { text } from '../../text/en.js'

const known = 'unit of ' // in front of a metric's name, as the name of its field
const most = 100 // the server's limit of one request

/** @param {{device?: import('./store.js').Device}} props */
export function Units({ device }) {
  const metrics = (device?.metrics ?? []).slice(0, most - 10)
  const [added, setAdded] = useState(0)
  const t = text.deviceForm
  return html`<fieldset class="units"><legend>${t.units}</legend>
    ${metrics.map(
      ({ name, unit }) =>
        html`<label key=${name}><span>${name}</span><input name=${known + name} value=${unit} maxlength="32" placeholder=${t.unitless} /></label>`,
    )}
    ${Array.from(
      { length: added },
      (
        _,
        i,
      ) => html`<div class="pair" key=${i}><input name="metric" aria-label=${t.metric} placeholder=${t.metric} spellcheck=${false} />
      <input name="unit" aria-label=${t.unit} placeholder=${t.unit} maxlength="32" /></div>`,
    )}
    ${added < 10 && html`<button type="button" class="quiet" onClick=${() => setAdded(added + 1)}>${t.addMetric}</button>`}
  </fieldset>`
}

/**
 * @param {FormData} data
 * @returns {Record<string, string>} units by metric
 */
export function unitsOf(data) {
  /** @type {Record<string, string>} */
  const units = {}
  for (const [name, value] of data) if (name.startsWith(known)) units[name.slice(known.length)] = String(value).trim()
  const added = data.getAll('unit')
  data.getAll('metric').forEach((metric, i) => {
    const name = String(metric).trim()
    if (name) units[name] = String(added[i] ?? '').trim()
  })
  return units
}
