// The one stream of a browser: the union of what all of its tabs follow. It runs in a shared worker, or in the page where
// there is none.
//
// Every follower says where it begins, by the seq of the history that it has. When the union grows, or a follower begins
// before the place of the stream, the stream is opened once more from the earliest place. Readings say where in the log they
// are, so that each follower passes over what it has had.

import { readStream, Refused } from './sse.js'

/**
 * @typedef {object} Follow
 * @property {string[] | null} devices ids, null for all
 * @property {number} since the seq that the follower's history is true as of
 */

/**
 * @typedef {object} Reading
 * @property {string} device
 * @property {number} ts Unix ms
 * @property {Record<string, number>} values by metric
 * @property {number} seq the place of its batch in the log
 * @property {number} index its place in the batch
 */

/**
 * What the hub says to a tab. "place" says that what is up to there has been sent to the followers with ids below upTo; "lost"
 * that the tab is not known here, because it was silent for too long: it joins and follows once more.
 * @typedef {{kind: 'readings', readings: Reading[]} | {kind: 'gap', from: number | null, to: number | null}
 *   | {kind: 'state', state: State, since: number} | {kind: 'refused', status: number}
 *   | {kind: 'place', seq: number, index: number, upTo: number} | {kind: 'lost'}} Said
 */

/**
 * What a tab says to the hub. "here" is said now and then, so that a tab that is gone can be told from one that listens;
 * "hurry" when waiting has become pointless; "renew" when another person has signed in; "rest" when the person has signed out.
 * @typedef {{kind: 'join' | 'leave' | 'hurry' | 'renew' | 'rest'} | {kind: 'follow', id: number, follow: Follow}
 *   | {kind: 'unfollow', id: number} | {kind: 'here', upTo: number}} Heard
 */

/** @typedef {'idle' | 'connecting' | 'live' | 'catching up' | 'reconnecting'} State */

/**
 * @typedef {object} Tab
 * @property {(said: Said) => void} say
 */

const settle = 40 // ms in which further followers are waited for
const linger = 15_000 // ms that a stream is kept larger than needed, since people go back and forth
const silence = 60_000 // ms without a byte, twice the server's heartbeat and more, after which a connection counts as dead
const behind = 10_000 // ms that readings may be behind their commit before it is called catching up

/** Joins the followers of all tabs into one stream. */
export class Hub {
  /** @param {typeof readStream} [read] how a stream is read; tests have one of their own */
  constructor(read = readStream) {
    this.read = read
    /** @type {Map<Tab, Map<number, Follow>>} */
    this.tabs = new Map()
    /** @type {string[] | null | undefined} what the stream holds: null for all, undefined when there is none */
    this.devices = undefined
    this.place = '' // where the stream is: an event's id
    this.earliest = Infinity // where the next stream has to begin, when that is before the place: a seq
    /** @type {State} */
    this.state = 'idle'
    this.since = Date.now()
    this.failures = 0
    this.ahead = 0 // ms that this machine's clock is ahead of the server's
    /** @type {AbortController | null} */
    this.stream = null
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.opening = undefined
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.shrinking = undefined
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.watchdog = undefined
  }

  /**
   * @param {Tab} tab
   * @param {Heard} heard
   */
  hear(tab, heard) {
    if (heard.kind === 'join') return this.join(tab)
    if (heard.kind === 'leave') return this.leave(tab)
    if (!this.tabs.has(tab)) return tab.say({ kind: 'lost' })
    switch (heard.kind) {
      case 'follow':
        return this.follow(tab, heard.id, heard.follow)
      case 'unfollow':
        return this.unfollow(tab, heard.id)
      case 'here':
        return this.sayPlace(tab, heard.upTo)
      case 'hurry':
        if (this.state === 'reconnecting') this.openSoon(0)
        return undefined
      case 'rest':
        return this.rest()
      default: // renew
        return this.devices !== undefined && this.openSoon(0)
    }
  }

  /** @param {Tab} tab */
  join(tab) {
    this.tabs.set(tab, new Map())
    tab.say({ kind: 'state', state: this.state, since: this.since })
  }

  /** @param {Tab} tab */
  leave(tab) {
    this.tabs.delete(tab)
    this.shrinkLater()
  }

  /**
   * @param {Tab} tab
   * @param {number} id the tab's own name for it
   * @param {Follow} follow
   */
  follow(tab, id, follow) {
    this.tabs.get(tab)?.set(id, follow)
    const before = !this.place || follow.since < placeOf(this.place).seq
    if (before) this.earliest = Math.min(this.earliest, follow.since)
    if (before || !this.holds(follow.devices)) this.openSoon(settle)
  }

  /**
   * @param {Tab} tab
   * @param {number} id
   */
  unfollow(tab, id) {
    this.tabs.get(tab)?.delete(id)
    this.shrinkLater()
  }

  /**
   * Says up to where a tab has had everything, so that one that is put away for hours goes on from there.
   * @param {Tab} tab
   * @param {number} upTo
   */
  sayPlace(tab, upTo) {
    if (!this.place) return
    const { seq, index } = placeOf(this.place)
    if (this.earliest < seq) tab.say({ kind: 'place', seq: this.earliest, index: Infinity, upTo })
    else tab.say({ kind: 'place', seq, index, upTo })
  }

  /** @returns {string[] | null | undefined} */
  union() {
    const follows = [...this.tabs.values()].flatMap((own) => [...own.values()])
    if (!follows.length) return undefined
    const ids = wantedBy(follows)
    return ids && [...ids].sort()
  }

  /** @param {string[] | null} devices */
  holds(devices) {
    if (this.devices === undefined || !this.stream) return false
    if (this.devices === null) return true
    const held = new Set(this.devices)
    return devices !== null && devices.every((id) => held.has(id))
  }

  shrinkLater() {
    clearTimeout(this.shrinking)
    this.shrinking = setTimeout(() => {
      if (String(this.union()) !== String(this.devices)) this.openSoon(0)
    }, linger)
  }

  /** @param {number} wait ms */
  openSoon(wait) {
    clearTimeout(this.opening)
    this.opening = setTimeout(() => this.open(), wait)
  }

  async open() {
    clearTimeout(this.opening)
    clearTimeout(this.watchdog)
    this.stream?.abort()
    this.devices = this.union()
    if (this.devices === undefined) return this.close()
    if (!this.place || this.earliest < placeOf(this.place).seq) this.place = String(this.earliest)
    this.earliest = Infinity
    if (this.state !== 'reconnecting') this.become('connecting')
    const stream = (this.stream = new AbortController())
    let wait = 0
    try {
      this.watch()
      const take = (/** @type {import('./sse.js').Sent[]} */ events) => stream === this.stream && this.take(events)
      const opened = (/** @type {number} */ time) => (this.ahead = Number.isNaN(time) ? 0 : Date.now() - time)
      wait = await this.read(this.body(), stream.signal, take, opened)
    } catch (error) {
      if (stream !== this.stream) return
      if (error instanceof Refused) wait = this.refused(error)
    }
    if (stream === this.stream) this.reconnect(wait)
  }

  /** Ends the stream, which would be refused. It goes on where it was once it is followed. */
  rest() {
    clearTimeout(this.opening)
    clearTimeout(this.watchdog)
    this.stream?.abort()
    this.stream = null
    this.become('idle')
  }

  close() {
    this.stream = null
    this.place = ''
    this.earliest = Infinity
    this.become('idle')
  }

  body() {
    const devices = this.devices === null ? {} : { device: this.devices }
    return /[:@]/.test(this.place) ? { ...devices, last_event_id: this.place } : { ...devices, since: this.place }
  }

  /** @param {Refused} error */
  refused({ status, retryAfter }) {
    if (status === 401 || status === 403) this.say({ kind: 'refused', status })
    return retryAfter * 1000 || (status < 500 ? 15_000 : 0)
  }

  /** @param {number} asked ms that the server asks to wait */
  reconnect(asked) {
    clearTimeout(this.watchdog)
    this.stream = null
    this.become('reconnecting')
    this.failures++
    const wait = Math.max(asked, Math.min(15_000, 500 * 2 ** Math.min(this.failures, 5)))
    this.openSoon(wait * (0.75 + Math.random() / 2))
  }

  watch() {
    clearTimeout(this.watchdog)
    this.watchdog = setTimeout(() => {
      this.stream?.abort()
      this.reconnect(0)
    }, silence)
  }

  /** @param {import('./sse.js').Sent[]} events */
  take(events) {
    this.watch()
    this.failures = 0
    /** @type {Reading[]} */
    const readings = []
    for (const { kind, id, data } of events) {
      if (id) this.place = id
      if (kind === 'reading')
        readings.push({ device: data.device, ts: Date.parse(data.ts), values: data.values, ...placeOf(id) })
      if (kind === 'gap') this.say({ kind: 'gap', from: parsed(data.from), to: parsed(data.to) })
    }
    if (readings.length) this.hand(readings)
    const age = Date.now() - this.ahead - placeOf(this.place).seq / 1000
    this.become(readings.length && age > behind ? 'catching up' : 'live')
  }

  /** @param {Reading[]} readings */
  hand(readings) {
    for (const [tab, follows] of this.tabs) {
      const wanted = wantedBy(follows.values())
      const own = wanted ? readings.filter(({ device }) => wanted.has(device)) : readings
      if (own.length) tab.say({ kind: 'readings', readings: own })
    }
  }

  /** @param {State} state */
  become(state) {
    if (state === this.state) return
    this.state = state
    this.since = Date.now()
    this.say({ kind: 'state', state, since: this.since })
  }

  /** @param {Said} said */
  say(said) {
    for (const tab of this.tabs.keys()) tab.say(said)
  }
}

/**
 * @param {Iterable<Follow>} follows
 * @returns {Set<string> | null} null for all
 */
function wantedBy(follows) {
  /** @type {Set<string>} */
  const ids = new Set()
  for (const { devices } of follows) {
    if (devices === null) return null
    devices.forEach((id) => ids.add(id))
  }
  return ids
}

/**
 * A place in the log: when the batch was committed, in µs, which the API calls seq, and how far in the batch.
 * @param {string} id of an event, or a seq, which is behind the whole batch
 */
function placeOf(id) {
  const [seq, index] = id.split(/[:@]/)
  return { seq: Number(seq), index: id.includes(':') ? Number(index) : Infinity }
}

/** @param {string | null} time */
function parsed(time) {
  return time === null ? null : Date.parse(time)
}
