// A text to copy by one click.

import { html, useState } from 'preact'
import { text } from '../text/en.js'

/**
 * @param {{value: string, label?: any, title?: string, block?: boolean}} props title says what the button does where its label
 *   does not; block shows the text, else there is the button alone
 */
export function Copy({ value, label = text.action.copy, title, block = false }) {
  const [done, setDone] = useState(false)
  const copy = async () => {
    if (!(await put(value))) return
    setDone(true)
    setTimeout(() => setDone(false), 2000)
  }
  const button = html`<button class="copy" type="button" title=${title} aria-label=${title} onClick=${copy}>${done ? text.action.copied : label}</button>
    <span class="visually-hidden" role="status">${done && text.action.copied}</span>`
  return block ? html`<div class="code"><pre tabindex="0">${value}</pre>${button}</div>` : button
}

/**
 * Browsers have a clipboard in secure contexts only; in a home network there is the old way.
 * @param {string} value
 * @returns {Promise<boolean>}
 */
async function put(value) {
  try {
    await navigator.clipboard.writeText(value)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = value
    area.className = 'visually-hidden'
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}
