// What those who may can do with a device.

import { html, useState } from 'preact'
import { devicePath, go } from '../../core/route.js'
import { can } from '../../core/session.js'
import { Menu } from '../menu.js'
import { text } from '../../text/en.js'
import { DeviceForm } from './form.js'
import { KeyDialog } from './key.js'
import { DeleteDevice } from './remove.js'

/** A button that adds a device, and shows it then. For those who may write devices. */
export function AddDevice() {
  const [open, setOpen] = useState(false)
  return html`<button onClick=${() => setOpen(true)}>${text.deviceForm.add}</button>
    ${open && html`<${DeviceForm} onClose=${() => setOpen(false)} onSaved=${(/** @type {{id: string}} */ device) => go(devicePath(device.id))} />`}`
}

/**
 * The menu of a device: edit it, make a key for it, delete it. It draws nothing for those who may do nothing of that.
 * @param {{device: import('./store.js').Device, onChanged?: () => void, onDeleted?: () => void}} props
 */
export function DeviceMenu({ device, onChanged, onDeleted }) {
  const [open, setOpen] = useState('')
  const close = () => setOpen('')
  if (!can('devices:write') && !can('admin')) return null
  const t = text.deviceMenu
  return html`<${Menu} label=${t.label}>
      ${can('devices:write') && html`<button onClick=${() => setOpen('edit')}>${t.edit}</button>`}
      ${can('admin') && html`<button onClick=${() => setOpen('key')}>${t.key}</button>`}
      ${can('devices:write') && html`<button class="danger" onClick=${() => setOpen('delete')}>${t.remove}</button>`}
    <//>
    ${open === 'edit' && html`<${DeviceForm} device=${device} onClose=${close} onSaved=${onChanged} />`}
    ${open === 'key' && html`<${KeyDialog} device=${device} onClose=${close} />`}
    ${open === 'delete' && html`<${DeleteDevice} device=${device} onClose=${close} onDeleted=${onDeleted} />`}`
}
