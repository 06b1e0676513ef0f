// Who is signed in, and what they may do.

import { signal } from 'preact'
import { api, request, whenUnauthenticated, ApiError } from './api.js'

/**
 * @typedef {object} Session
 * @property {'unknown' | 'out' | 'in' | 'leaving'} state unknown until the server has been asked; leaving while it is told of a sign-out
 * @property {string} subject
 * @property {string[]} scopes
 * @property {string[] | null} devices patterns that the session is narrowed to, null for all devices
 * @property {number} expiresAt Unix ms, Infinity when it does not end
 * @property {boolean} expired whether it ended by itself
 */

/** @type {Session} */
const signedOut = { state: 'unknown', subject: '', scopes: [], devices: null, expiresAt: Infinity, expired: false }

/** The session; components that read it are drawn again when it changes. */
export const session = signal(signedOut)

/**
 * Whether the session has the scope, which admin has each of.
 * @param {string} scope
 */
export function can(scope) {
  const { scopes } = session.value
  return scopes.includes(scope) || scopes.includes('admin')
}

/** Whether this browser has signed in and not out: what has not need not ask, and be refused. */
const hint = 'telltale.session'

/**
 * Asks the server who is signed in.
 * @throws {ApiError} when it cannot tell
 */
export async function loadSession() {
  if (!localStorage.getItem(hint)) return end()
  try {
    take(await api.get('/api/auth/me'))
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error
  }
}

/** @param {{subject: string, scopes: string[], devices: string[] | null, expires_at: string | null}} me */
function take(me) {
  session.value = {
    state: 'in',
    subject: me.subject,
    scopes: me.scopes,
    devices: me.devices,
    expiresAt: me.expires_at ? Date.parse(me.expires_at) : Infinity,
    expired: false,
  }
  begun = Date.now()
  localStorage.setItem(hint, 'in')
}

function end(expired = false) {
  localStorage.removeItem(hint)
  session.value = { ...signedOut, state: 'out', expired }
}

/**
 * @param {string} username
 * @param {string} password
 * @throws {ApiError}
 */
export async function signIn(username, password) {
  const form = new URLSearchParams({ username, password, cookie: 'true' })
  await request('/api/auth/token', { method: 'POST', body: form })
  take(await api.get('/api/auth/me'))
}

/** Why the last attempt to sign out failed. */
export const staying = signal(/** @type {Error | null} */ (null))

/** Signs out, in every tab. What is under way is given up first: it would be refused. When the server cannot be told, the person stays. */
export async function signOut() {
  const before = session.value
  session.value = { ...before, state: 'leaving' }
  staying.value = null
  await null // pages end what they have begun
  try {
    await request('/api/auth/logout', { method: 'POST' })
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) {
      staying.value = /** @type {Error} */ (error)
      session.value = before
      return
    }
  }
  end()
  tabs?.postMessage('out')
}

/** Ends a session that the server has ended, as it does with the password, in every tab: to ask it would only be refused. */
export function sessionOver() {
  tabs?.postMessage('expired')
  end(true)
}

/** @type {BroadcastChannel | null} */
let tabs = null

whenUnauthenticated(() => {
  const { state } = session.value
  if (state === 'in') sessionOver()
  else if (state !== 'out') end()
})

// Renewal: a page that is open counts as use, so that a wall display stays signed in. Half of the lifetime is early enough
// for a tab whose timers sleep.
let begun = 0
const look = 30_000

/** Renews the session while the page is open, and ends it when another tab signs out. Call it once. */
export function keepSession() {
  tabs = new BroadcastChannel('telltale session')
  tabs.onmessage = ({ data }) => end(data === 'expired') // no tab shows data any more
  setInterval(renew, look)
  document.addEventListener('visibilitychange', renew)
}

async function renew() {
  const { state, expiresAt } = session.value
  if (state !== 'in' || expiresAt === Infinity || Date.now() < (begun + expiresAt) / 2) return
  try {
    const { expires_at } = await api.post('/api/auth/session', undefined)
    session.value = { ...session.value, expiresAt: Date.parse(expires_at) }
    begun = Date.now()
  } catch {
    // The next look tries again; a 401 has ended the session already.
  }
}
