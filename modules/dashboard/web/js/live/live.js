// What a page follows live. The connection is shared by all tabs of the browser.

import { effect, signal } from 'preact'
import { session } from '../core/session.js'
import { Hub } from './hub.js'

/**
 * @typedef {object} Follower
 * @property {(readings: import('./hub.js').Reading[]) => void} onReadings readings of the devices followed, each once, in the
 *   order of the log
 * @property {(from: number | null, to: number | null) => void} onGap readings of that time may be missing: ask history for them
 */

/** @typedef {{state: import('./hub.js').State, since: number}} Connection */

/** The state of the connection, and since when. */
export const connection = signal(/** @type {Connection} */ ({ state: 'idle', since: Date.now() }))

/** When the last reading arrived, Unix ms; 0 before the first. */
export const lastArrival = signal(0)

/**
 * @typedef {object} Following
 * @property {Set<string> | null} devices
 * @property {number} seq the place of the newest reading that the follower has had, and that reading's place in the batch
 * @property {number} index
 * @property {Follower} follower
 */

/** @type {Map<number, Following>} */
const followers = new Map()
let next = 1
/** @type {((message: import('./hub.js').Heard) => void) | null} */
let send = null

/**
 * Follows devices from the place in the log that a history answer is true as of.
 * @param {string[] | null} devices ids, null for all that the session covers
 * @param {number} since the answer's seq
 * @param {Follower} follower
 * @returns {() => void} ends it
 */
export function follow(devices, since, follower) {
  const id = next++
  followers.set(id, { devices: devices && new Set(devices), seq: since, index: Infinity, follower })
  connect()({ kind: 'follow', id, follow: { devices, since } })
  return () => {
    if (followers.delete(id)) connect()({ kind: 'unfollow', id })
  }
}

function connect() {
  if (send) return send
  send = shared() ?? own()
  send({ kind: 'join' })
  setInterval(() => send?.({ kind: 'here', upTo: next }), 20_000)
  addEventListener('online', () => send?.({ kind: 'renew' })) // what was open may be dead without a word
  document.addEventListener('visibilitychange', () => document.hidden || send?.({ kind: 'hurry' }))
  addEventListener('pagehide', () => send?.({ kind: 'leave' }))
  addEventListener('pageshow', (event) => event.persisted && rejoin()) // the browser had put the page away
  who = person()
  effect(followSession)
  return send
}

let who = '' // is signed in, as the hub knows it

/** Has the stream end with the session, and begin with the next. */
function followSession() {
  const now = person()
  if (now !== who) send?.({ kind: now ? 'renew' : 'rest' })
  who = now
}

function person() {
  const { state, subject } = session.value
  return state === 'in' ? subject : ''
}

/** Joins once more: each follower goes on from the newest reading that it has had. */
function rejoin() {
  send?.({ kind: 'join' })
  for (const [id, { devices, seq, index }] of followers) {
    const since = index === Infinity ? seq : seq - 1 // in the middle of a batch: all of it, of which some is passed over
    send?.({ kind: 'follow', id, follow: { devices: devices && [...devices], since } })
  }
}

/** @returns {((message: import('./hub.js').Heard) => void) | null} */
function shared() {
  const address = document.querySelector('meta[name="telltale-worker"]')?.getAttribute('content')
  if (!address || typeof SharedWorker === 'undefined') return null
  try {
    const worker = new SharedWorker(address, 'telltale')
    worker.port.onmessage = ({ data }) => hear(data)
    worker.port.start()
    worker.onerror = () => {
      // its script cannot be had, or is not run
      send = own()
      rejoin()
    }
    return (message) => worker.port.postMessage(message)
  } catch {
    return null
  }
}

/** @returns {(message: import('./hub.js').Heard) => void} */
function own() {
  const hub = new Hub()
  const tab = { say: hear }
  return (message) => hub.hear(tab, message)
}

/** @type {Set<() => void>} */
const refusals = new Set()

/**
 * Has f called when the server refuses the stream for want of a session.
 * @param {() => void} f
 */
export function whenRefused(f) {
  refusals.add(f)
}

/** @param {import('./hub.js').Said} said */
function hear(said) {
  switch (said.kind) {
    case 'state':
      connection.value = { state: said.state, since: said.since }
      break
    case 'refused':
      refusals.forEach((f) => f())
      break
    case 'gap':
      followers.forEach(({ follower }) => follower.onGap(said.from, said.to))
      break
    case 'lost':
      rejoin()
      break
    case 'place':
      moveOn(said)
      break
    default:
      hand(said)
  }
}

/** @param {{seq: number, index: number, upTo: number}} place */
function moveOn({ seq, index, upTo }) {
  for (const [id, following] of followers) {
    if (id < upTo && isAfter({ seq, index }, following)) Object.assign(following, { seq, index })
  }
}

/** @param {{readings: import('./hub.js').Reading[]}} said */
function hand({ readings }) {
  lastArrival.value = Date.now()
  for (const following of followers.values()) {
    const fresh = readings.filter((reading) => isFresh(following, reading))
    if (!fresh.length) continue
    const { seq, index } = fresh[fresh.length - 1]
    Object.assign(following, { seq, index })
    following.follower.onReadings(fresh)
  }
}

/**
 * @param {Following} following
 * @param {import('./hub.js').Reading} reading
 */
function isFresh(following, reading) {
  return isAfter(reading, following) && (!following.devices || following.devices.has(reading.device))
}

/**
 * @param {{seq: number, index: number}} place
 * @param {{seq: number, index: number}} other
 */
function isAfter(place, other) {
  return place.seq > other.seq || (place.seq === other.seq && place.index > other.index)
}
