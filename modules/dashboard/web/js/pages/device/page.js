// One device: its metrics over time.

import { html, useEffect, useMemo, useRef, useState } from 'preact'
import { comparePath, linksOf } from '../../chart/links.js'
import { useHistory } from '../../chart/use.js'
import { View } from '../../chart/view.js'
import { api, ApiError } from '../../core/api.js'
import { deviceZone, isZone } from '../../core/prefs.js'
import { rangeText } from '../../core/range.js'
import { go, route } from '../../core/route.js'
import { useTitle } from '../../core/title.js'
import { AggregateChoice } from '../../parts/aggregate.js'
import { DeviceMenu } from '../../parts/device/menu.js'
import { useLoad } from '../../parts/load.js'
import { RangeBar } from '../../parts/range.js'
import { Empty, Failure, Loading } from '../../parts/states.js'
import { Urls } from '../../parts/urls.js'
import { text } from '../../text/en.js'
import { Head } from './head.js'
import { chooseMetrics, readShown } from './shown.js'
import { Tile } from './tile.js'

const most = 24 // metrics that are shown unless others are chosen
const again = 30_000 // ms

/** @param {{id: string}} props */
export function Device({ id }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  const view = useMemo(() => new View('1h'), [id])
  const device = useLoad((signal) => api.get('/api/devices/' + encodeURIComponent(id), {}, signal), [id], {
    every: again,
  })
  const shown = useSame(readShown(route.value.query))
  const { known, metrics, wanted } = wantedOf(id, device.data, shown.metrics)
  const ready = device.data || device.error
  const history = useHistory(ready ? wanted : null, { view, box, aggregate: shown.aggregate })
  useZone(device.data?.metadata)
  useTitle(device.data?.name || id)

  void history.loads.value
  const found = useSame(foundOf(metrics, history, shown.metrics.length > 0))
  const missing = device.error instanceof ApiError && device.error.status === 404
  const error = history.failed.value ?? (missing || isForbidden(device.error) ? null : device.error)
  const unknown = Boolean(ready) && !isForbidden(device.error) && found.some((metric) => !known.includes(metric))
  useEffect(() => {
    if (unknown) device.reload()
  }, [found])
  const tiles = useTiles({ id, found, shown, history, view, device: device.data })
  return html`<section class="one-device" ref=${box}>
    <${Heard} history=${history} id=${id} device=${device.data}>
      ${!missing && html`<${Actions} id=${id} history=${history} view=${view} metrics=${found} />`}
      ${device.data && html`<${DeviceMenu} device=${device.data} onChanged=${device.reload} onDeleted=${() => go('/devices')} />`}
    <//>
    ${missing && html`<${Empty} title=${text.device.missing(id)}><a href="/devices">${text.state.home}</a><//>`}
    <div hidden=${missing}><${RangeBar} view=${view}><${Choices} known=${known} found=${found} shown=${shown} history=${history} /><//></div>
    ${error && html`<${Failure} error=${error} since=${history.loadedAt} retry=${device.reload} />`}
    ${!ready && html`<${Loading} />`}
    ${ready && !error && !missing && !found.length && !history.loading.value && html`<${Empty} title=${text.device.noReadings} />`}
    ${!missing && tiles}
    ${known.length > found.length && !shown.metrics.length && html`<p class="soft">${text.device.more(known.length - found.length)}</p>`}
  </section>`
}

/**
 * @param {string} id
 * @param {any} device
 * @param {string[]} chosen
 */
function wantedOf(id, device, chosen) {
  /** @type {string[]} */
  const known = (device?.metrics ?? []).map((/** @type {any} */ m) => m.name)
  const metrics = chosen.length ? chosen : known.length ? known.slice(0, most) : null
  const all = !chosen.length && known.length <= most // so that metrics which are new appear by themselves
  return { known, metrics, wanted: { devices: [id], metrics: all || !metrics ? undefined : metrics } }
}

/**
 * The metrics on the page: those that were chosen, else those that the device has and those that readings have come of.
 * @param {string[] | null} metrics
 * @param {import('../../chart/history.js').History} history
 * @param {boolean} chosen
 */
function foundOf(metrics, history, chosen) {
  if (chosen) return metrics ?? []
  const heard = [...history.series.values()].map(({ metric }) => metric).sort()
  return metrics ? [...new Set([...metrics, ...heard])] : heard
}

/**
 * The tiles of the page. They are made once for what they show: a hundred are not drawn again because the device has been asked for again.
 * @param {{id: string, found: string[], shown: import('./shown.js').ShownMetrics, history: import('../../chart/history.js').History,
 *   view: View, device: any}} props
 */
function useTiles({ id, found, shown, history, view, device }) {
  const now = useRef(device)
  now.current = device
  return useMemo(() => {
    const lastOf = (/** @type {string} */ metric) =>
      now.current?.metrics.find((/** @type {any} */ one) => one.name === metric)?.last_ts ?? null
    return found.map(
      (
        metric,
      ) => html`<${Tile} key=${metric} device=${id} metric=${metric} lastOf=${lastOf} history=${history} view=${view}
        shown=${shown} all=${found} />`,
    )
  }, [id, found, shown, history, view])
}

/**
 * The value of before as long as it is equal: what is made of it need not be made again.
 * @template T
 * @param {T} value JSON
 * @returns {T}
 */
function useSame(value) {
  return useMemo(() => value, [JSON.stringify(value)])
}

/** @param {Error | null} error */
function isForbidden(error) {
  return error instanceof ApiError && error.status === 403 // readings may be seen without devices
}

/** @param {any} props */
function Heard({ history, id, device, children }) {
  void history.revision.value
  return html`<${Head} id=${id} device=${device} heardAt=${history.heardAt}>${children}<//>`
}

/**
 * Offers the zone of the device, if its metadata names one.
 * @param {any} metadata
 */
function useZone(metadata) {
  const named = metadata?.tz ?? metadata?.timezone
  const valid = typeof named === 'string' && named !== 'local' && isZone(named) ? named : ''
  useEffect(() => {
    deviceZone.value = valid
    return () => void (deviceZone.value = '')
  }, [valid])
}

/** @param {any} props */
function Actions({ id, history, view, metrics }) {
  const [open, setOpen] = useState(false)
  void history.loads.value
  const links = linksOf(history)
  const series = metrics.map((/** @type {string} */ metric) => ({ device: id, metric }))
  return html`<a class="button" href=${comparePath(series, rangeText(view.range.value))}>${text.device.compare}</a>
    ${links && html`<a class="button" href=${links.csv} download=${id + '.csv'} title=${text.chart.csv}>${text.chart.csvShort}</a>`}
    ${links && html`<button onClick=${() => setOpen(true)}>${text.chart.urls}</button>`}
    ${open && links && html`<${Urls} links=${links} onClose=${() => setOpen(false)} />`}`
}

/** @param {any} props */
function Choices({ known, found, shown, history }) {
  void history.loads.value
  const [used, setUsed] = useState(false)
  const all = [...new Set([...known, ...found])].sort()
  const toggle = (/** @type {string} */ metric) => {
    const next = found.includes(metric)
      ? found.filter((/** @type {string} */ one) => one !== metric)
      : [...found, metric].sort()
    if (next.length) chooseMetrics(next.length === all.length ? [] : next)
  }
  return html`<div class="choices">
    <${AggregateChoice} history=${history} aggregate=${shown.aggregate} />
    ${
      all.length > 1 &&
      html`<details class="chooser"><summary onClick=${() => setUsed(true)}>${found.length === all.length ? text.device.metrics : text.device.metricsShown(found.length, all.length)}</summary>
      <div class="menu">
        ${used && all.map((metric) => html`<label key=${metric} class="check"><input type="checkbox" checked=${found.includes(metric)} onChange=${() => toggle(metric)} /> ${metric}</label>`)}
        ${found.length < all.length && html`<button onClick=${() => chooseMetrics([])}>${text.device.all}</button>`}
      </div></details>`
    }
  </div>`
}
