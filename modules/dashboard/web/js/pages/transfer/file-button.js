// A button that opens the browser's choice of files.

import { html } from 'preact'

/** @param {{label: string, take: (file: File) => void, primary?: boolean}} props */
export function FileButton({ label, take, primary = false }) {
  const choose = (/** @type {any} */ event) => {
    take(event.target.files[0])
    event.target.value = '' // so that the same file can be chosen again
  }
  return html`<label class=${primary ? 'button primary' : 'button'}>${label}<input class="visually-hidden" type="file" name="file"
    onChange=${choose} /></label>`
}
