// What stands where content is not: loading, empty, failed.

import { html, useEffect, useState } from 'preact'
import { ApiError } from '../core/api.js'
import { time } from '../core/format.js'
import { zoneName } from '../core/prefs.js'
import { text } from '../text/en.js'

const patience = 200 // ms before a skeleton is shown: what is quicker needs none

/** @param {{rows?: number}} props */
export function Loading({ rows = 6 }) {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), patience)
    return () => clearTimeout(timer)
  }, [])
  return html`<div class="loading" role="status"><span class="visually-hidden">${text.state.loading}</span>
    ${late && Array.from({ length: rows }, (_, i) => html`<div key=${i} class="skeleton"></div>`)}</div>`
}

/** @param {{title: string, children?: any}} props what to do next */
export function Empty({ title, children }) {
  return html`<div class="empty"><p>${title}</p>${children}</div>`
}

/**
 * What went wrong, in words, and what happens next.
 * @param {{error: Error, since?: number, retry?: () => void}} props since is when what is still shown was loaded, Unix ms
 */
export function Failure({ error, since = 0, retry }) {
  const id = error instanceof ApiError ? error.requestId : ''
  return html`<div class="failure" role="alert">
    <p>${reason(error)} ${since > 0 && text.state.since(time(since, 'second', zoneName()))}</p>
    ${retry && html`<button onClick=${retry}>${text.state.retry}</button>`}
    ${id && !passing(error) && html`<small>${text.state.request(id)}</small>`}
  </div>`
}

/** @param {Error} error */
function passing(error) {
  return error instanceof ApiError && error.passing
}

/**
 * An error in a person's words.
 * @param {Error} error
 * @returns {string}
 */
export function reason(error) {
  if (!(error instanceof ApiError)) return text.state.failed
  if (error.status === 0) return text.state.unreachable
  if (error.status === 503 && /database/.test(error.message)) return text.state.database
  if (error.status === 403) return text.state.forbidden
  return sentence(error.errors.length ? error.errors.map((e) => `${e.field} ${e.reason}`).join('; ') : error.message)
}

/** @param {string} said */
function sentence(said) {
  const begun = said.charAt(0).toUpperCase() + said.slice(1)
  return /[.!?…]$/.test(begun) ? begun : begun + '.'
}
