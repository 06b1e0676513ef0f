// The head of a device's page: what it is called, and how it is.

import { html } from 'preact'
import { now } from '../../core/clock.js'
import { ago, duration, time } from '../../core/format.js'
import { zoneName } from '../../core/prefs.js'
import { text } from '../../text/en.js'

const onlineFor = 300_000 // ms after the last reading, as the server counts it

/** @param {{id: string, device: any, heardAt: number, children?: any}} props heardAt is when a reading was stored last, Unix ms */
export function Head({ id, device, heardAt, children }) {
  const named = device?.name && device.name !== id
  return html`<header class="device-head">
    <div>
      <h1>${named ? device.name : id}</h1>
      ${named && html`<code>${id}</code>`}
      ${device?.tags.map((/** @type {string} */ tag) => html`<a key=${tag} class="tag" href=${'/devices?tag=' + encodeURIComponent(tag)}>#${tag}</a>`)}
      ${device && html`<${Seen} at=${Math.max(heardAt, device.last_seen_at ? Date.parse(device.last_seen_at) : 0)} />`}
    </div>
    <div class="actions">${children}</div>
  </header>`
}

/** @param {{at: number}} props */
function Seen({ at }) {
  if (!at) return html`<span class="seen never">${text.devices.never}</span>`
  const since = now.value - at
  const online = since <= onlineFor
  return html`<span class=${online ? 'seen online' : 'seen silent'} title=${time(at, 'moment', zoneName())}>
    <i aria-hidden="true"></i>${online ? `${text.devices.online} · ${ago(at, Math.max(at, now.value), zoneName())}` : text.devices.silentFor(duration(since))}</span>`
}
