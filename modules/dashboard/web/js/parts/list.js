// A long list of which only what is on the screen is drawn. All rows are of one height; the page scrolls, not the list.

import { html, useEffect, useLayoutEffect, useRef, useState } from 'preact'

const spare = 6 // rows drawn above and below the screen
const top = 120 // px at the top that what sticks there may cover

/**
 * Each row holds a link that carries tabindex as it is told, and takes the focus: arrows move it, Enter opens it.
 * @template T
 * @param {{items: T[], height: number, label: string, keyOf: (item: T) => string, row: (item: T, tabindex: 0 | -1) => any,
 *   onShown?: (items: T[]) => void}} props onShown is told the items that are drawn
 */
export function List({ items, height, label, keyOf, row, onShown }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  const [active, setActive] = useState(0)
  const { from, to } = useWindow(box, items.length, height)
  const current = Math.min(active, items.length - 1)
  const drawn = indexes(from, Math.min(to, items.length), current)
  const shown = drawn.map((i) => keyOf(items[i])).join('\n')
  useEffect(() => onShown?.(drawn.map((i) => items[i])), [shown])
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const next = moved(event.key, current, items.length, Math.floor(innerHeight / height) - 2)
    if (next < 0 || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    reveal(/** @type {HTMLElement} */ (box.current), next * height, height)
    setActive(next)
    requestAnimationFrame(() => linkOf(box.current, next)?.focus({ preventScroll: true }))
  }
  const onFocus = (/** @type {FocusEvent} */ event) => {
    const at = event.target instanceof Element && event.target.closest('[data-at]')
    if (at) setActive(Number(at.getAttribute('data-at')))
  }
  return html`<ul class="list" ref=${box} aria-label=${label} style=${{ height: `${items.length * height}px` }} onKeyDown=${onKeyDown}
    onFocusIn=${onFocus}>
    ${drawn.map(
      (i) => html`<li key=${keyOf(items[i])} data-at=${i} aria-setsize=${items.length} aria-posinset=${i + 1}
      style=${{ height: `${height}px`, transform: `translateY(${i * height}px)` }}>${row(items[i], i === current ? 0 : -1)}</li>`,
    )}</ul>`
}

/**
 * The rows between from and to, and the one that has the focus wherever it is.
 * @param {number} from
 * @param {number} to
 * @param {number} active
 */
function indexes(from, to, active) {
  const list = []
  for (let i = from; i < to; i++) list.push(i)
  if (active >= 0 && active < from) list.unshift(active)
  if (active >= to) list.push(active)
  return list
}

/**
 * Which rows the screen shows, as the page is scrolled and its size changes.
 * @param {{current: HTMLElement | null}} box
 * @param {number} length
 * @param {number} height
 */
function useWindow(box, length, height) {
  const [shown, setShown] = useState({ from: 0, to: Math.ceil(innerHeight / height) })
  useLayoutEffect(() => {
    const measure = () => {
      const above = -(box.current?.getBoundingClientRect().top ?? 0)
      const from = Math.max(0, Math.floor(above / height) - spare)
      const to = Math.max(0, Math.ceil((above + innerHeight) / height) + spare)
      setShown((before) => (before.from === from && before.to === to ? before : { from, to }))
    }
    measure()
    addEventListener('scroll', measure, { passive: true })
    addEventListener('resize', measure)
    return () => {
      removeEventListener('scroll', measure)
      removeEventListener('resize', measure)
    }
  }, [length, height])
  return { from: Math.min(shown.from, Math.max(0, length - 1)), to: shown.to }
}

/**
 * @param {string} key
 * @param {number} at
 * @param {number} length
 * @param {number} page rows
 * @returns {number} the row to go to, -1 for keys that do not move
 */
export function moved(key, at, length, page) {
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: length - 1 }[
    key
  ]
  return to === undefined || !length ? -1 : Math.max(0, Math.min(length - 1, to))
}

/**
 * @param {HTMLElement} box
 * @param {number} at px from its top
 * @param {number} height
 */
function reveal(box, at, height) {
  const y = box.getBoundingClientRect().top + at
  if (y < top) scrollBy(0, y - top)
  else if (y + height > innerHeight - 64) scrollBy(0, y + height - innerHeight + 64)
}

/**
 * @param {HTMLElement | null} box
 * @param {number} at
 * @returns {HTMLElement | null}
 */
function linkOf(box, at) {
  return box?.querySelector(`[data-at="${at}"] [tabindex]`) ?? null
}
