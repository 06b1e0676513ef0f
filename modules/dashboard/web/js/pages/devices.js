// The list of devices: found by text, tag and state, with newest values and the last day of each, live.

import { html, useEffect, useMemo, useState } from 'preact'
import { api } from '../core/api.js'
import { now } from '../core/clock.js'
import { route, setQuery } from '../core/route.js'
import { can, session } from '../core/session.js'
import { AddDevice } from '../parts/device/menu.js'
import { loadDevices, store } from '../parts/device/store.js'
import { List } from '../parts/list.js'
import { Empty, Failure, Loading } from '../parts/states.js'
import { text } from '../text/en.js'
import { addTag, FilterBar } from './devices/bar.js'
import { filterOf, matching, serverQuery, stateOf, tagsOf } from './devices/filter.js'
import { FirstVisit } from './devices/first.js'
import { DeviceRow, shownMetrics } from './devices/row.js'
import { Watch } from './devices/watch.js'

/** @typedef {import('../parts/device/store.js').Device} Device */

const narrow = matchMedia('(max-width: 720px)')
const heights = { wide: 52, narrow: 104 } // px of a row
const fresh = 15_000 // ms for which what is loaded need not be asked for once more
const again = 60_000 // ms between two loads of a thousand devices

export function Devices() {
  const { devices, state, complete, since, error } = store.value
  useEffect(() => {
    if (Date.now() - since > fresh) void loadDevices()
  }, [])
  useEffect(() => {
    const timer = setInterval(
      () => document.hidden || void loadDevices(),
      again * Math.max(1, Math.ceil(devices.length / 1000)),
    )
    return () => clearInterval(timer)
  }, [Math.ceil(devices.length / 1000)])
  if (state === 'empty' && !devices.length)
    return html`<h1>${text.devices.title}</h1>
      ${error ? html`<${Failure} error=${error} retry=${loadDevices} />` : html`<${Loading} rows=${10} />`}`
  if (state === 'ready' && complete && !devices.length) return html`<${FirstVisit} />`
  return html`<div class="head"><h1>${text.devices.title}</h1>
      ${session.value.devices && html`<small>${text.devices.covers(session.value.devices.length)}</small>`}
      ${can('devices:write') && html`<${AddDevice} />`}</div>
    ${error && html`<${Failure} error=${error} since=${since} retry=${loadDevices} />`}
    <${Found} devices=${devices} loading=${state !== 'ready'} complete=${complete} stale=${error !== null} />`
}

/** @param {{devices: Device[], loading: boolean, complete: boolean, stale: boolean}} props */
function Found({ devices, loading, complete, stale }) {
  const filter = filterOf(route.value.query)
  const watch = useMemo(() => new Watch(), [])
  useEffect(() => () => watch.close(), [])
  const known = useServer(filter, devices, complete || loading)
  const key = JSON.stringify([filter.text, filter.tags])
  const matches = useMemo(() => matching(known, filter), [known, key])
  const turn = Math.floor(now.value / 10_000)
  const byState = useMemo(() => sorted(matches, watch), [matches, turn])
  const tags = useMemo(() => tagsOf(known), [known])
  const shown = filter.state ? byState[filter.state] : matches
  const counts = {
    '': matches.length,
    online: byState.online.length,
    silent: byState.silent.length,
    never: byState.never.length,
  }
  const height = useNarrow() ? heights.narrow : heights.wide
  const onShown = (/** @type {Device[]} */ items) => {
    if (can('readings:read')) watch.show(new Map(items.map((device) => [device.id, shownMetrics(device)])))
  }
  return html`<${FilterBar} filter=${filter} counts=${counts} tags=${tags} onDown=${focusList} />
    ${!shown.length && !loading && html`<${Empty} title=${text.devices.none}><button onClick=${clear}>${text.devices.clear}</button><//>`}
    <div class=${stale ? 'devices stale' : 'devices'}>
      <${List} items=${shown} height=${height} label=${text.devices.title} keyOf=${idOf} onShown=${onShown}
        row=${(/** @type {Device} */ device, /** @type {0 | -1} */ tabindex) =>
          html`<${DeviceRow} device=${device} row=${watch.row(device.id)} tabindex=${tabindex} onTag=${(/** @type {string} */ tag) => addTag(filter, tag)} />`} />
    </div>
    ${loading && html`<${Loading} rows=${2} />`}
    <span class="visually-hidden" role="status">${text.devices.found(shown.length)}</span>`
}

/** @param {Device} device */
function idOf(device) {
  return device.id
}

/**
 * @param {Device[]} devices
 * @param {Watch} watch
 */
function sorted(devices, watch) {
  /** @type {Record<import('./devices/filter.js').State, Device[]>} */
  const lists = { online: [], silent: [], never: [] }
  const at = Date.now()
  for (const device of devices) {
    const row = watch.rows.get(device.id)
    lists[stateOf(device, row?.heard, row?.followed ? at : 0)].push(device)
  }
  return lists
}

/**
 * The devices to find among: those that are loaded and, where they are not all there are, what the server finds.
 * @param {import('./devices/filter.js').Filter} filter
 * @param {Device[]} devices
 * @param {boolean} enough
 */
function useServer(filter, devices, enough) {
  const [found, setFound] = useState(/** @type {Device[]} */ ([]))
  const query = enough ? '' : JSON.stringify(serverQuery(filter))
  useEffect(() => {
    if (!query || query === '{"tag":[]}') return setFound([])
    const request = new AbortController()
    const timer = setTimeout(() => {
      api
        .get('/api/devices', { ...JSON.parse(query), limit: 1000 }, request.signal)
        .then((answer) => request.signal.aborted || setFound(answer.devices))
        .catch(() => {}) // what is loaded stays; the list says when loading fails
    }, 200)
    return () => {
      clearTimeout(timer)
      request.abort()
    }
  }, [query])
  return useMemo(() => {
    if (!found.length) return devices
    const ids = new Set(devices.map(idOf))
    return [...devices, ...found.filter(({ id }) => !ids.has(id))].sort((a, b) => (a.id < b.id ? -1 : 1))
  }, [devices, found])
}

function useNarrow() {
  const [is, setIs] = useState(narrow.matches)
  useEffect(() => {
    const listen = () => setIs(narrow.matches)
    narrow.addEventListener('change', listen)
    return () => narrow.removeEventListener('change', listen)
  }, [])
  return is
}

function focusList() {
  const link = document.querySelector('.devices a[tabindex="0"]')
  if (link instanceof HTMLElement) link.focus()
}

function clear() {
  setQuery({ q: '', tag: [], state: '' })
}
