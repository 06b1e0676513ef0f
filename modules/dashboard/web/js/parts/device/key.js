// An API key for a device: made, shown once, with examples that have it in them.

import { html, useState } from 'preact'
import { api } from '../../core/api.js'
import { Copy } from '../copy.js'
import { Dialog } from '../dialog.js'
import { useForm } from '../form.js'
import { text } from '../../text/en.js'
import { Expiry, expiryOf } from './expiry.js'
import { snippets } from './snippets.js'

/**
 * @param {{name: string, scopes: string[], devices: string[] | null, expires_at?: string | null}} key
 * @returns {Promise<{id: string, key: string, name: string}>} with its text, which the server does not show again
 */
export function makeKey(key) {
  return api.post('/api/auth/keys', { ...key, name: key.name.slice(0, 64) })
}

/**
 * A dialog that makes a key which may send readings of this device, and nothing else.
 * @param {{device: import('./store.js').Device, onClose: () => void}} props
 */
export function KeyDialog({ device, onClose }) {
  const [key, setKey] = useState('')
  const form = useForm(async (data) => {
    const scopes = ['readings:write']
    const made = await makeKey({ name: device.id, scopes, devices: [device.id], expires_at: expiryOf(data) })
    setKey(made.key)
  })
  const t = text.deviceKey
  return html`<${Dialog} title=${t.title(device.name || device.id)} onClose=${onClose}>
    ${
      key
        ? html`<${Shown} value=${key} /><${Examples} of=${{ key, device: device.id, metric: device.metrics[0]?.name }} />
        <div class="actions"><button class="primary" onClick=${onClose}>${text.deviceKey.done}</button></div>`
        : html`<form onSubmit=${form.onSubmit}>
        <p>${t.what(device.id)}</p>
        <${Expiry} />
        ${form.failed && html`<p class="error" role="alert">${form.rest()}</p>`}
        <div class="actions"><button class="primary" disabled=${form.busy}>${t.submit}</button>
          <button type="button" onClick=${onClose}>${text.action.cancel}</button></div>
      </form>`
    }<//>`
}

/**
 * The text of a key, which is shown this once.
 * @param {{value: string}} props
 */
export function Shown({ value }) {
  return html`<div class="secret"><p><strong>${text.deviceKey.once}</strong></p><${Copy} block value=${value} /></div>`
}

/**
 * Examples for one device.
 * @param {{of: {key: string, device: string, metric?: string}}} props
 */
export function Examples({ of }) {
  const list = snippets({ origin: location.origin, ...of })
  const [chosen, setChosen] = useState(list[0].id)
  const { text: code } = list.find(({ id }) => id === chosen) ?? list[0]
  const here = /^(localhost|127\.|\[::1\])/.test(location.hostname)
  return html`<div class=${`examples ${chosen}`}>
    <div class="buttons" role="group" aria-label=${text.deviceKey.examples}>
      ${list.map(({ id, name }) => html`<button key=${id} type="button" aria-pressed=${id === chosen} onClick=${() => setChosen(id)}>${name}</button>`)}</div>
    <${Copy} key=${chosen} block value=${code} />
    ${here && chosen !== 'curl' && html`<small>${text.deviceKey.here(location.hostname)}</small>`}
    ${chosen === 'home-assistant' && html`<small>${text.deviceKey.homeAssistant}</small>`}
  </div>`
}
