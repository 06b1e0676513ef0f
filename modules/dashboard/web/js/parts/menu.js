// A menu behind a button: it closes by Escape, by a click elsewhere, and when something of it is chosen. What is in it is not drawn
// before it is opened: a page may have a hundred of them.

import { html, useEffect, useRef, useState } from 'preact'

/** @param {{label: string, children?: any}} props children are links and buttons */
export function Menu({ label, children }) {
  const box = useRef(/** @type {HTMLDetailsElement | null} */ (null))
  const [used, setUsed] = useState(false)
  const close = () => box.current?.removeAttribute('open')
  useEffect(() => {
    if (!used) return undefined
    const elsewhere = (/** @type {Event} */ event) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) close()
    }
    addEventListener('click', elsewhere)
    return () => removeEventListener('click', elsewhere)
  }, [used])
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape' || !box.current?.open) return
    event.stopPropagation()
    close()
    box.current.querySelector('summary')?.focus()
  }
  return html`<details class="dots" ref=${box} onKeyDown=${onKeyDown}>
    <summary aria-label=${label} title=${label} onClick=${() => setUsed(true)}>⋯</summary>
    <div class="menu" onClick=${close}>${used && children}</div>
  </details>`
}
