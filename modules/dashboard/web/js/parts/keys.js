// Keys of the whole page, which do nothing while a person writes.

/**
 * Has functions called by key until the returned function is.
 * @param {Record<string, (event: KeyboardEvent) => void>} keys by KeyboardEvent.key
 * @returns {() => void}
 */
export function onKey(keys) {
  const listen = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    const { target } = event
    if (target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)))
      return
    if (document.querySelector('dialog[open]')) return
    const act = keys[event.key]
    if (!act) return
    event.preventDefault()
    act(event)
  }
  addEventListener('keydown', listen)
  return () => removeEventListener('keydown', listen)
}
