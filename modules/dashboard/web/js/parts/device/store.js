// All devices that the session covers, page by page, kept while one goes from page to page.

import { effect, signal } from 'preact'
import { api } from '../../core/api.js'
import { session } from '../../core/session.js'

/**
 * @typedef {object} Metric as the list of devices has it
 * @property {string} name
 * @property {string} unit
 * @property {number | null} last_ts Unix ms
 * @property {number | null} last_value
 */

/**
 * @typedef {object} Device as the API answers it
 * @property {string} id
 * @property {string} name
 * @property {Record<string, unknown>} metadata
 * @property {string[]} tags
 * @property {number | null} retention_days
 * @property {string} created_at
 * @property {string} updated_at
 * @property {string | null} last_seen_at
 * @property {boolean} online as of the answer
 * @property {Metric[]} metrics
 */

const page = 1000
const most = 10_000 // devices held here; beyond that the server searches

/**
 * @typedef {object} Store
 * @property {Device[]} devices in order of id
 * @property {'empty' | 'loading' | 'ready'} state empty before the first answer
 * @property {boolean} complete whether these are all there are
 * @property {number} since when they were loaded, Unix ms
 * @property {Error | null} error why the last attempt failed
 */

/** @type {Store} */
const nothing = { devices: [], state: 'empty', complete: false, since: 0, error: null }

/** What is loaded; components that read it are drawn again when it changes. */
export const store = signal(nothing)

/** @type {AbortController | null} */
let request = null

/**
 * Loads the devices, in place of those that are there once all have come. The first time each page is shown as it comes.
 */
export async function loadDevices() {
  request?.abort()
  const mine = (request = new AbortController())
  const first = !store.value.since
  if (first) store.value = { ...store.value, state: store.value.devices.length ? 'loading' : 'empty', error: null }
  /** @type {Device[]} */
  const devices = []
  let cursor = ''
  try {
    do {
      const answer = await api.get('/api/devices', { limit: page, cursor }, mine.signal)
      if (mine.signal.aborted) return
      devices.push(...answer.devices)
      cursor = answer.next_cursor ?? ''
      if (first && cursor) store.value = { ...nothing, devices: [...devices], state: 'loading' }
    } while (cursor && devices.length < most)
    store.value = { devices, state: 'ready', complete: !cursor, since: Date.now(), error: null }
  } catch (error) {
    if (!mine.signal.aborted) store.value = { ...store.value, error: /** @type {Error} */ (error) }
  }
}

/**
 * Puts a device in its place that the server has answered with.
 * @param {Device} device
 */
export function putDevice(device) {
  const devices = store.value.devices.filter(({ id }) => id !== device.id)
  const at = devices.findIndex(({ id }) => id > device.id)
  devices.splice(at < 0 ? devices.length : at, 0, device)
  store.value = { ...store.value, devices }
}

/**
 * Takes a device out that is deleted.
 * @param {string} id
 */
export function dropDevice(id) {
  store.value = { ...store.value, devices: store.value.devices.filter((device) => device.id !== id) }
}

// What one person may see is not for the next.
effect(() => {
  if (session.value.state !== 'out') return
  request?.abort()
  store.value = nothing
})
