// A dialog over the page: the browser's own, which keeps the focus and closes by Escape.

import { html, useLayoutEffect, useRef } from 'preact'
import { text } from '../text/en.js'

/** @param {{title: string, onClose: () => void, children?: any}} props it is open as long as it is drawn */
export function Dialog({ title, onClose, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null))
  useLayoutEffect(() => {
    // at once: what is typed next goes into it
    const dialog = element.current
    const before = document.activeElement
    if (dialog && !dialog.open) dialog.showModal()
    return () => before instanceof HTMLElement && before.focus()
  }, [])
  return html`<dialog ref=${element} aria-label=${title} onClose=${onClose} onCancel=${onClose}>
    <header><h2>${title}</h2><button class="quiet" type="button" aria-label=${text.action.close} onClick=${onClose}>✕</button></header>
    ${children}
  </dialog>`
}
