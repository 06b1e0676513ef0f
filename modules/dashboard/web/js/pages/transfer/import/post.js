// One part, posted until the server has taken it or says that it never will.

import { effect } from 'preact'
import { ApiError, address, request } from '../../../core/api.js'
import { session } from '../../../core/session.js'

/**
 * What stands between a part and the server: '' nothing, 'away' a server that does not answer, 'busy' one that asks to come back,
 * 'signin' a session that has ended.
 * @typedef {{why: '' | 'away' | 'busy' | 'signin', until: number}} Wait until is when the next try is, Unix ms
 */

/** Another person has signed in: what was begun as someone else ends. */
export class OtherPerson extends Error {}

const pause = 1000 // ms before the next try where the server does not say
const longest = 60_000

/**
 * @param {string} path
 * @param {string} type of the content
 * @param {Uint8Array} body
 * @param {{subject: string, signal: AbortSignal, onWait: (wait: Wait) => void}} run
 * @returns {Promise<any>} the receipt, null where the answer has none
 * @throws {ApiError} for an answer that asking again would not change
 */
export async function post(path, type, body, { subject, signal, onWait }) {
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted()
    try {
      const options = {
        method: 'POST',
        body: /** @type {BodyInit} */ (body),
        headers: { 'Content-Type': type },
        signal,
      }
      const answer = await request(path, options)
      onWait({ why: '', until: 0 })
      return answer.status === 204 ? null : await receiptOf(answer)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ApiError) || !later(error.status)) throw error
      if (error.status === 401) {
        onWait({ why: 'signin', until: 0 })
        await signedIn(subject, signal)
        continue
      }
      const wait = Math.min(
        longest,
        error.retryAfter * 1000 || (error.status ? pause : pause * Math.min(10, 1 + tries)),
      )
      onWait({ why: error.status ? 'busy' : 'away', until: Date.now() + wait })
      await passed(wait, signal)
    }
  }
}

/** @param {Response} answer */
async function receiptOf(answer) {
  try {
    return await answer.json()
  } catch {
    throw new ApiError(0, {}, 0) // it broke off: what it says is not known, and sending again is safe
  }
}

/** @param {number} status */
function later(status) {
  return [0, 401, 429, 502, 503, 504].includes(status)
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 */
export function passed(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      if (signal.aborted) reject(signal.reason)
      else resolve(undefined)
    }
    return undefined
  })
}

/**
 * Waits until the same person is signed in.
 * @param {string} subject
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function signedIn(subject, signal) {
  return new Promise((resolve, reject) => {
    const end = () => reject(signal.reason)
    signal.addEventListener('abort', end)
    const stop = effect(() => {
      const { state, subject: now } = session.value
      if (state !== 'in') return
      queueMicrotask(() => {
        stop()
        signal.removeEventListener('abort', end)
      })
      if (now === subject) resolve()
      else reject(new OtherPerson())
    })
  })
}

/**
 * Where parts of a file go.
 * @param {{format: import('../file/syntax.js').Format, skip: boolean, unit: string, tag: string, bucket: string}} options
 */
export function targetOf({ format, skip, unit, tag, bucket }) {
  if (format !== 'lines') return address('/api/readings', { on_error: skip ? 'skip' : '' })
  const tags = tag.split(/[\s,]+/).filter(Boolean)
  return address('/api/v2/write', {
    on_error: skip ? 'partial' : 'fail',
    precision: unit || 'ns',
    device_tag: tags,
    bucket,
  })
}
