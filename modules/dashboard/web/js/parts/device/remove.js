// Deleting a device: its name is typed, since nothing brings it back.

import { html } from 'preact'
import { api } from '../../core/api.js'
import { time } from '../../core/format.js'
import { zoneName } from '../../core/prefs.js'
import { Confirm } from '../confirm.js'
import { text } from '../../text/en.js'
import { dropDevice } from './store.js'

/**
 * @param {{device: import('./store.js').Device, onClose: () => void, onDeleted?: () => void}} props
 */
export function DeleteDevice({ device, onClose, onDeleted }) {
  const act = async () => {
    await api.remove('/api/devices/' + encodeURIComponent(device.id))
    dropDevice(device.id)
    onDeleted?.()
  }
  const t = text.deleteDevice
  const since = time(Date.parse(device.created_at), 'date', zoneName())
  return html`<${Confirm} title=${t.title(device.name || device.id)} submit=${t.submit} type=${device.id} label=${t.type(device.id)} act=${act} onClose=${onClose}>
    ${t.lost(device.metrics.length, since)} <small>${t.stays}</small><//>`
}
