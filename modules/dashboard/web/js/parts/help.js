// The list of all keys.

import { html } from 'preact'
import { text } from '../text/en.js'
import { Dialog } from './dialog.js'

/** @param {{onClose: () => void}} props */
export function Help({ onClose }) {
  return html`<${Dialog} title=${text.help.title} onClose=${onClose}>
    ${text.help.groups.map(
      ({ name, keys }) => html`<section class="keys" key=${name}><h3>${name}</h3><dl>
      ${keys.map(([key, does]) => html`<div key=${key}><dt>${key.split(' ').map((k) => html`<kbd>${k}</kbd> `)}</dt><dd>${does}</dd></div>`)}</dl></section>`,
    )}
  <//>`
}
