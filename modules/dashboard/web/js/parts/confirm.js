// A question before something that cannot be taken back.

import { html, useState } from 'preact'
import { text } from '../text/en.js'
import { Dialog } from './dialog.js'
import { Field, useForm } from './form.js'

/**
 * @param {{title: string, submit: string, type?: string, label?: string, act: () => Promise<unknown>, onClose: () => void, children?: any}} props
 *   type is what has to be typed before, label says so; children say what is lost
 */
export function Confirm({ title, submit, type = '', label = '', act, onClose, children }) {
  const [typed, setTyped] = useState('')
  const form = useForm(async () => {
    await act()
    onClose()
  })
  const write = (/** @type {Event} */ e) => setTyped(/** @type {HTMLInputElement} */ (e.target).value)
  return html`<${Dialog} title=${title} onClose=${onClose}><form onSubmit=${form.onSubmit}>
    <p>${children}</p>
    ${type && html`<${Field} label=${label} name="typed" autocomplete="off" spellcheck=${false} autocapitalize="none" autofocus onInput=${write} />`}
    ${form.failed && html`<p class="error" role="alert">${form.rest()}</p>`}
    <div class="actions"><button class="danger" disabled=${form.busy || typed.trim() !== type}>${submit}</button>
      <button type="button" onClick=${onClose}>${text.action.cancel}</button></div>
  </form><//>`
}
