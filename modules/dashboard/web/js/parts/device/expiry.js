// When a key ends.

import { html } from 'preact'
import { text } from '../../text/en.js'

const day = 86_400_000
const lengths = [0, 7, 30, 90, 365] // days, 0 for never

/** A choice of how long a key is to work. */
export function Expiry() {
  return html`<label class="inline">${text.keys.expires} <select name="expiry">
    ${lengths.map((days) => html`<option key=${days} value=${days}>${text.keys.expiry(days)}</option>`)}</select></label>`
}

/**
 * @param {FormData} data of a form with an Expiry
 * @returns {string | null} what the API takes
 */
export function expiryOf(data) {
  const days = Number(data.get('expiry'))
  return days ? new Date(Date.now() + days * day).toISOString() : null
}
