// What the search knows: the devices and boards that have been loaded. A person sees them within a frame; what the server finds
// besides comes after.

import { computed, effect, signal } from 'preact'
import { api } from '../core/api.js'
import { devicePath } from '../core/route.js'
import { can, session } from '../core/session.js'
import { text } from '../text/en.js'

/** @typedef {import('../core/rank.js').Item} Item */

const fresh = 60_000 // ms for which what is known is not asked for once more
const most = 5000 // devices that are kept
const pause = 150 // ms without a key before the server is asked

/** @type {Map<string, any>} by id */
let devices = new Map()
/** @type {any[]} */
let boards = []
let loadedAt = 0

/** The items of all that is known: devices, their metrics, tags, boards. */
export const known = signal(/** @type {Item[]} */ ([]))

/** The names of devices, by id. */
export const deviceNames = signal(/** @type {ReadonlyMap<string, string>} */ (new Map()))

/** Loads what there is, unless that was done just now. */
export async function learn() {
  if (Date.now() - loadedAt < fresh) return
  loadedAt = Date.now()
  const answers = await Promise.allSettled([
    can('devices:read') ? api.get('/api/devices', { limit: 1000 }) : { devices: [] },
    can('readings:read') ? api.get('/api/boards') : { boards: [] },
  ])
  if (answers[0].status === 'fulfilled') devices = new Map()
  if (answers[0].status === 'fulfilled') answers[0].value.devices.forEach(keep)
  if (answers[1].status === 'fulfilled') boards = answers[1].value.boards
  if (answers.some(({ status }) => status === 'rejected')) loadedAt = 0
  write()
}

/** @param {any} device */
function keep(device) {
  if (devices.size < most || devices.has(device.id)) devices.set(device.id, device)
}

// Another person may see other devices.
const person = computed(() => session.value.subject)
effect(() => {
  void person.value
  forget()
})

function forget() {
  devices = new Map()
  boards = []
  loadedAt = 0
  write()
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let asking

/**
 * Has the server look for devices too, once no key has been pressed for a moment.
 * @param {string} said
 */
export function askServer(said) {
  clearTimeout(asking)
  const search = said.trim()
  if (!search || !can('devices:read')) return
  asking = setTimeout(async () => {
    try {
      const answer = await api.get('/api/devices', { search, limit: 20 })
      const before = devices.size
      answer.devices.forEach(keep)
      if (devices.size !== before) write()
    } catch {
      // What is known is found all the same.
    }
  }, pause)
}

function write() {
  const list = [...devices.values()]
  deviceNames.value = new Map(list.map(({ id, name }) => [id, name]))
  known.value = [...list.map(deviceItem), ...boards.map(boardItem), ...tagItems(list), ...list.flatMap(metricItems)]
}

/**
 * @param {any} device
 * @returns {Item}
 */
function deviceItem({ id, name, tags }) {
  const detail = [name && name !== id ? id : '', ...tags.map((/** @type {string} */ tag) => '#' + tag)].join(' ').trim()
  return item('device', id, name || id, detail, devicePath(id), { device: id })
}

/**
 * @param {any} device
 * @returns {Item[]}
 */
function metricItems({ id, name, metrics }) {
  return metrics.map((/** @type {any} */ metric) =>
    item(
      'metric',
      `${id}\n${metric.name}`,
      metric.name,
      [name || id, metric.unit].filter(Boolean).join(', '),
      devicePath(id),
      {
        device: id,
        metric: metric.name,
      },
    ),
  )
}

/**
 * A metric of all devices with a tag.
 * @param {any[]} list
 * @returns {Item[]}
 */
function tagItems(list) {
  /** @type {Map<string, {tag: string, metric: string, count: number}>} */
  const found = new Map()
  for (const { tags, metrics } of list) {
    for (const tag of tags)
      for (const { name } of metrics) {
        const key = `${tag}\n${name}`
        const entry = found.get(key) ?? { tag, metric: name, count: 0 }
        entry.count++
        found.set(key, entry)
      }
  }
  return [...found].map(([key, { tag, metric, count }]) =>
    item('tag', key, metric, text.search.tagged(tag, count), undefined, { tag, metric }),
  )
}

/**
 * @param {any} board
 * @returns {Item}
 */
function boardItem({ id, name, owner, mine }) {
  return item('board', id, name, mine ? '' : text.boards.of(owner), '/boards/' + id, { board: id })
}

/**
 * @param {string} kind
 * @param {string} id
 * @param {string} name
 * @param {string} detail
 * @param {string | undefined} href
 * @param {any} value
 * @returns {Item}
 */
function item(kind, id, name, detail, href, value) {
  return { key: `${kind}\n${id}`, kind, name, detail, href, value, words: `${name} ${detail} ${id}`.toLowerCase() }
}
