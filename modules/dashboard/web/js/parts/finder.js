// A field that finds as one types: arrows choose, Enter takes.

import { html, useId, useState } from 'preact'
import { text } from '../text/en.js'

/** @typedef {import('../core/rank.js').Item} Item */

/**
 * @param {{label: string, find: (said: string) => Item[], choose: (item: Item) => void, onSay?: (said: string) => void,
 *   onFocus?: () => void, keep?: boolean, name?: string, hint?: string}} props find is asked at each drawing; keep leaves the field open once
 *   something has been taken, for the next one
 */
export function Finder({ label, find, choose, onSay, onFocus, keep = false, name = 'find', hint }) {
  const id = useId()
  const [said, setSaid] = useState('')
  const [open, setOpen] = useState(false)
  const [at, setAt] = useState(0)
  const items = open && said.trim() ? find(said) : []
  const active = Math.min(at, items.length - 1)

  const say = (/** @type {string} */ value) => {
    setSaid(value)
    setAt(0)
    setOpen(true)
    onSay?.(value)
  }
  const take = (/** @type {Item | undefined} */ item, /** @type {HTMLElement | null} */ field) => {
    if (!item) return
    say('')
    setOpen(keep)
    if (!keep) field?.blur()
    choose(item)
  }
  const press = (/** @type {KeyboardEvent} */ event) => {
    const field = /** @type {HTMLInputElement} */ (event.currentTarget)
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step && items.length) setAt((active + step + items.length) % items.length)
    else if (event.key === 'Enter') take(items[active], field)
    else if (event.key === 'Escape') leave(field)
    else return
    event.preventDefault()
  }
  const leave = (/** @type {HTMLInputElement} */ field) => {
    if (said) say('')
    else field.blur()
    setOpen(false)
  }
  return html`<div class="finder" onFocusOut=${(/** @type {FocusEvent} */ e) => within(e) || setOpen(false)}>
    <input type="search" name=${name} role="combobox" aria-label=${label} placeholder=${hint ?? label} autocomplete="off" spellcheck=${false}
      aria-expanded=${items.length > 0} aria-controls=${id} aria-autocomplete="list"
      aria-activedescendant=${items.length ? `${id}-${active}` : undefined}
      value=${said} onInput=${(/** @type {any} */ e) => say(e.target.value)} onKeyDown=${press}
      onFocus=${() => (setOpen(true), onFocus?.())} />
    <ul id=${id} role="listbox" aria-label=${label} hidden=${!items.length}>
      ${items.map(
        (item, i) => html`<li key=${item.key} id=${`${id}-${i}`} role="option" aria-selected=${i === active}
          onMouseDown=${(/** @type {Event} */ e) => e.preventDefault()} onClick=${() => take(item, document.activeElement instanceof HTMLElement ? document.activeElement : null)}
          onMouseMove=${() => i === active || setAt(i)}>
          <small class="kind">${text.search.kinds[/** @type {'device'} */ (item.kind)]}</small>
          <span class="name">${item.name}</span> <small class="detail">${item.detail}</small></li>`,
      )}
    </ul>
    ${open && said.trim() && !items.length && html`<p class="nothing" role="status">${text.search.nothing}</p>`}
  </div>`
}

/** @param {FocusEvent} event */
function within({ currentTarget, relatedTarget }) {
  return currentTarget instanceof Node && relatedTarget instanceof Node && currentTarget.contains(relatedTarget)
}
