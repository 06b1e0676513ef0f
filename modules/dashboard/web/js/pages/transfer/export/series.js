// The devices and metrics of an export, which are found as one types.

import { html } from 'preact'
import { rank } from '../../../core/rank.js'
import { route, setQuery } from '../../../core/route.js'
import { Finder } from '../../../parts/finder.js'
import { askServer, known, learn } from '../../../parts/known.js'
import { text } from '../../../text/en.js'
import { readSelection } from './request.js'

/** @typedef {import('../../../core/rank.js').Item} Item */
/** @typedef {import('./request.js').Selection} Selection */

const found = 12

/** @param {{selection: Selection}} props */
export function DeviceChoice({ selection }) {
  const t = text.transfer
  const find = (/** @type {string} */ said) => {
    const devices = known.value.filter(
      ({ kind, value }) => kind === 'device' && !selection.devices.includes(value.device),
    )
    const list = rank(devices, said, found)
    const written = said.trim()
    const exact = list.some(({ value }) => value?.device === written)
    if (exact || /[\s/\\?[\],"']/.test(written)) return list
    return [...list, item('device', written, t.asWritten, { device: written })]
  }
  return html`<${Choice} label=${t.devices} all=${t.allDevices} hint=${t.findDevice} name="device" chosen=${selection.devices} find=${find}
    idOf=${(/** @type {Item} */ { value }) => value?.device} />`
}

/** @param {{selection: Selection}} props */
export function MetricChoice({ selection }) {
  const t = text.transfer
  const find = (/** @type {string} */ said) => {
    /** @type {Map<string, Item>} */
    const metrics = new Map()
    for (const { kind, value } of known.value) {
      if (kind !== 'metric' || selection.metrics.includes(value.metric) || !covers(selection.devices, value.device))
        continue
      metrics.set(value.metric, item('metric', value.metric, '', { metric: value.metric }))
    }
    const list = rank([...metrics.values()], said, found)
    const written = said.trim()
    return list.some(({ name }) => name === written)
      ? list
      : [...list, item('metric', written, t.asWritten, { metric: written })]
  }
  return html`<${Choice} label=${t.metrics} all=${t.allMetrics} hint=${t.findMetric} name="metric" chosen=${selection.metrics} find=${find}
    idOf=${(/** @type {Item} */ { value }) => value?.metric} />`
}

/**
 * @param {string} kind
 * @param {string} name
 * @param {string} detail
 * @param {any} value
 * @returns {Item}
 */
function item(kind, name, detail, value) {
  return { key: `${kind}\n${name}\n${detail}`, kind, name, detail, value, words: name.toLowerCase() }
}

/**
 * Whether a device is one of the ids and patterns; of none, any is.
 * @param {string[]} devices
 * @param {string} id
 */
function covers(devices, id) {
  return !devices.length || devices.some((one) => one === id || (one.includes('*') && matches(one, id)))
}

/**
 * @param {string} pattern
 * @param {string} id
 */
function matches(pattern, id) {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(id)
}

/**
 * @param {{label: string, all: string, hint: string, name: 'device' | 'metric', chosen: string[], find: (said: string) => Item[],
 *   idOf: (item: Item) => string}} props
 */
function Choice({ label, all, hint, name, chosen, find, idOf }) {
  const write = (/** @type {string[]} */ list) => setQuery({ [name]: list })
  const now = () => readSelection(route.peek().query)[name === 'device' ? 'devices' : 'metrics']
  return html`<div class="choice"><span class="label">${label}</span>
    <ul aria-label=${label}>${chosen.length === 0 && html`<li class="all">${all}</li>`}
      ${chosen.map(
        (one) => html`<li key=${one}><span>${one}</span><button class="quiet" aria-label=${text.transfer.without(one)}
          title=${text.transfer.without(one)} onClick=${() => write(now().filter((other) => other !== one))}>✕</button></li>`,
      )}</ul>
    <${Finder} label=${hint} name=${name} find=${find} choose=${(/** @type {Item} */ one) => write([...new Set([...now(), idOf(one)])])}
      onFocus=${learn} onSay=${askServer} keep /></div>`
}
