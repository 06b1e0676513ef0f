// Adding a device, and changing what is said of one.

import { html, useState } from 'preact'
import { api } from '../../core/api.js'
import { Dialog } from '../dialog.js'
import { Field, useForm } from '../form.js'
import { text } from '../../text/en.js'
import { changesOf, parseMetadata, parseTags } from './draft.js'
import { putDevice } from './store.js'
import { Units, unitsOf } from './units.js'

/** @typedef {import('./store.js').Device} Device */

const fields = ['id', 'name', 'tags', 'retention_days', 'metadata']

/**
 * A dialog; without a device it adds one.
 * @param {{device?: Device, onClose: () => void, onSaved?: (device: Device) => void}} props onSaved is told the device as it now is
 */
export function DeviceForm({ device, onClose, onSaved }) {
  const [badMetadata, setBadMetadata] = useState(false)
  const form = useForm(async (data) => {
    const metadata = parseMetadata(String(data.get('metadata')))
    setBadMetadata(!metadata)
    if (!metadata) return
    const saved = await save(device, String(data.get('id') ?? '').trim(), draftOf(data, metadata))
    if (saved) {
      putDevice(saved)
      onSaved?.(saved)
    }
    onClose()
  })
  const t = text.deviceForm
  return html`<${Dialog} title=${device ? t.edit(device.name || device.id) : t.add} onClose=${onClose}>
    <form onSubmit=${form.onSubmit}>
      ${!device && html`<${Field} label=${t.id} hint=${t.idHint} error=${form.errorOf('id')} name="id" required maxlength="128" spellcheck=${false} autocapitalize="none" autofocus />`}
      <${Field} label=${t.name} error=${form.errorOf('name')} name="name" maxlength="200" value=${device?.name} autofocus=${Boolean(device)} />
      <${Field} label=${t.tags} hint=${t.tagsHint} error=${form.errorOf('tags')} name="tags" value=${device?.tags.join(' ')} spellcheck=${false} autocapitalize="none" />
      <${Units} device=${device} />
      <${Retention} device=${device} error=${form.errorOf('retention_days')} />
      <details class="wide"><summary>${t.metadata}</summary>
        <textarea name="metadata" rows="5" aria-label=${t.metadata} aria-invalid=${badMetadata} spellcheck=${false}
          placeholder='{"site": "north"}'>${device && Object.keys(device.metadata).length ? JSON.stringify(device.metadata, null, 2) : ''}</textarea>
        <small>${t.metadataHint}</small>
      </details>
      ${badMetadata && html`<p class="error" role="alert">${t.metadataWrong}</p>`}
      ${form.rest(...fields.slice(0, 4)) && html`<p class="error" role="alert">${form.rest(...fields.slice(0, 4))}</p>`}
      <div class="actions"><button class="primary" disabled=${form.busy}>${device ? text.action.save : t.submit}</button>
        <button type="button" onClick=${onClose}>${text.action.cancel}</button></div>
    </form><//>`
}

/** @param {{device?: Device, error?: string}} props */
function Retention({ device, error }) {
  const days = device?.retention_days ?? null
  const [kind, setKind] = useState(days === null ? 'general' : days === 0 ? 'ever' : 'days')
  const t = text.deviceForm
  const choices = Object.entries(t.retentions)
  return html`<fieldset class="retention"><legend>${t.retention}</legend>
    <select name="retention" aria-label=${t.retention} value=${kind} onChange=${(/** @type {Event} */ e) => setKind(/** @type {HTMLSelectElement} */ (e.target).value)}>
      ${choices.map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select>
    ${kind === 'days' && html`<label class="check"><input name="days" type="number" min="1" max="36500" required value=${days || 90} /> ${t.days}</label>`}
    ${error && html`<small class="error" role="alert">${error}</small>`}
    <small>${t.retentionHint}</small>
  </fieldset>`
}

/**
 * @param {FormData} data
 * @param {Record<string, unknown>} metadata
 * @returns {import('./draft.js').Draft}
 */
function draftOf(data, metadata) {
  const kind = data.get('retention')
  return {
    name: String(data.get('name')).trim(),
    tags: parseTags(String(data.get('tags'))),
    retention_days: kind === 'general' ? null : kind === 'ever' ? 0 : Number(data.get('days')),
    metadata,
    units: unitsOf(data),
  }
}

/**
 * @param {Device | undefined} device
 * @param {string} id of a new one
 * @param {import('./draft.js').Draft} draft
 * @returns {Promise<Device | null>} null when nothing has changed, or what has may not be read
 */
async function save(device, id, draft) {
  if (!device) return api.post('/api/devices', { id, ...draft })
  const changes = changesOf(device, draft)
  return Object.keys(changes).length ? api.patch('/api/devices/' + encodeURIComponent(device.id), changes) : null
}
