// The addresses of the API for what is shown, to copy.

import { html } from 'preact'
import { text } from '../text/en.js'
import { Copy } from './copy.js'
import { Dialog } from './dialog.js'

/** @param {{links: import('../chart/links.js').Links, onClose: () => void}} props */
export function Urls({ links, onClose }) {
  const one = (/** @type {string} */ label, /** @type {string} */ path) => html`<section class="address">
    <h3>${label}</h3><${Copy} value=${location.origin + path} block /></section>`
  return html`<${Dialog} title=${text.urls.title} onClose=${onClose}>
    ${one(text.urls.history, links.history)}${one(text.urls.csv, links.csv)}${one(text.urls.stream, links.stream)}
    <p class="soft">${text.urls.key}</p>
  <//>`
}
