// Making an API key for a program or several devices.

import { html, useState } from 'preact'
import { accessOf, DevicePatterns, ScopeBoxes } from '../../parts/access.js'
import { Dialog } from '../../parts/dialog.js'
import { Expiry, expiryOf } from '../../parts/device/expiry.js'
import { makeKey, Shown } from '../../parts/device/key.js'
import { Field, useForm } from '../../parts/form.js'
import { text } from '../../text/en.js'

/** @param {{onClose: () => void, onMade: () => void}} props */
export function NewKey({ onClose, onMade }) {
  const [key, setKey] = useState('')
  const [none, setNone] = useState(false)
  const form = useForm(async (data) => {
    const access = accessOf(data)
    setNone(!access.scopes.length)
    if (!access.scopes.length) return
    const made = await makeKey({ name: String(data.get('name')).trim(), ...access, expires_at: expiryOf(data) })
    setKey(made.key)
    onMade()
  })
  return html`<${Dialog} title=${text.keys.make} onClose=${onClose}>
    ${
      key
        ? html`<${Shown} value=${key} /><div class="actions"><button class="primary" onClick=${onClose}>${text.deviceKey.done}</button></div>`
        : html`<form onSubmit=${form.onSubmit}>
        <${Field} label=${text.keys.name} hint=${text.keys.nameHint} error=${form.errorOf('name')} name="name" required maxlength="64" autofocus />
        <${ScopeBoxes} value=${['readings:write']} error=${none ? text.access.choose : form.errorOf('scopes')} />
        <${DevicePatterns} error=${form.errorOf('devices')} />
        <${Expiry} />
        ${form.rest('name', 'scopes', 'devices') && html`<p class="error" role="alert">${form.rest('name', 'scopes', 'devices')}</p>`}
        <div class="actions"><button class="primary" disabled=${form.busy}>${text.deviceKey.submit}</button>
          <button type="button" onClick=${onClose}>${text.action.cancel}</button></div>
      </form>`
    }<//>`
}
