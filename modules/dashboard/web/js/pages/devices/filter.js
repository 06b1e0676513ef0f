// Which devices are shown: by text, tags and state, as it stands in the URL.

/** @typedef {'online' | 'silent' | 'never'} State */

/**
 * @typedef {object} Filter
 * @property {string} text
 * @property {string[]} tags which a device must all have
 * @property {State | ''} state '' for all
 */

/** @typedef {import('../../parts/device/store.js').Device} Device */
/** @typedef {import('../../parts/device/store.js').Metric} Metric */

/** How long a device may say nothing and still be online, ms: the server's own rule. */
export const patience = 300_000

/**
 * @param {URLSearchParams} query
 * @returns {Filter}
 */
export function filterOf(query) {
  const state = query.get('state')
  return {
    text: query.get('q') ?? '',
    tags: query.getAll('tag'),
    state: state === 'online' || state === 'silent' || state === 'never' ? state : '',
  }
}

/**
 * The state of a device.
 * @param {Pick<Device, 'online' | 'last_seen_at'>} device
 * @param {number} [heard] when readings of it arrived since it was loaded, Unix ms
 * @param {number} [at] now in Unix ms, for a device that is followed: what is not heard of becomes silent by itself
 * @returns {State}
 */
export function stateOf(device, heard = 0, at = 0) {
  const seen = Math.max(heard, device.last_seen_at ? Date.parse(device.last_seen_at) : 0)
  if (!seen) return 'never'
  const online = at ? at - seen <= patience : device.online || heard > 0
  return online ? 'online' : 'silent'
}

/** @type {WeakMap<Device, string>} */
const words = new WeakMap()

/** @param {Device} device */
function wordsOf(device) {
  let text = words.get(device)
  if (text === undefined) {
    text = [device.name, device.id, ...device.tags.map((tag) => '#' + tag)].join('\n').toLowerCase()
    words.set(device, text)
  }
  return text
}

/**
 * Those devices whose name, id or tags have every word of the text, and which have the tags. States are told apart later,
 * so that each can be counted.
 * @param {Device[]} devices
 * @param {Filter} filter
 */
export function matching(devices, { text, tags }) {
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (!parts.length && !tags.length) return devices
  return devices.filter(
    (device) => tags.every((tag) => device.tags.includes(tag)) && parts.every((part) => wordsOf(device).includes(part)),
  )
}

/**
 * What to ask the server for where not all devices are loaded. It knows one text, and nothing of never.
 * @param {Filter} filter
 * @returns {Record<string, string | string[] | undefined>}
 */
export function serverQuery({ text, tags, state }) {
  const parts = text.split(/\s+/).filter((part) => part && !part.startsWith('#'))
  return {
    search: parts.sort((a, b) => b.length - a.length)[0]?.slice(0, 200),
    tag: tags,
    status: state === 'online' ? 'online' : state ? 'offline' : undefined,
  }
}

/**
 * The tags of devices with how many have each, the most used first.
 * @param {Device[]} devices
 * @returns {[string, number][]}
 */
export function tagsOf(devices) {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const { tags } of devices) for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
}

const together = 600_000 // ms within which two metrics count as read at the same time

/**
 * The metrics that stand for a device: those read most recently, in order of name.
 * @param {Metric[]} metrics
 * @param {number} n
 */
export function topMetrics(metrics, n) {
  const newest = Math.max(...metrics.map((m) => m.last_ts ?? 0))
  const age = (/** @type {Metric} */ m) => Math.floor((newest - (m.last_ts ?? 0)) / together)
  return [...metrics].sort((a, b) => age(a) - age(b) || a.name.localeCompare(b.name)).slice(0, n)
}
