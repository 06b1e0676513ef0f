// The page's title, and where a screen reader goes on when another page is shown: at its heading.

import { effect, signal, useEffect } from 'preact'
import { route } from './route.js'

/** What the page shown says of itself, by its path. */
const said = signal({ path: '', title: '' })

/**
 * Gives the page its title, once it is known: a device's name says more than its id.
 * @param {string} title '' as long as it is not known
 */
export function useTitle(title) {
  const { path } = route.value
  useEffect(() => void (said.value = { path, title }), [path, title])
}

/**
 * Keeps the document's title, and moves the focus to the heading of a page that a link or a key has opened. Call it once.
 * @param {string} product
 * @param {(parts: string[]) => string} nameOf a page's title until it says one itself
 */
export function startTitles(product, nameOf) {
  let before = route.peek().path
  effect(() => {
    const { path, parts } = route.value
    const own = said.value.path === path ? said.value.title : ''
    const name = own || nameOf(parts)
    document.title = name ? `${name} – ${product}` : product
    if (path !== before) headTo(path, document.activeElement)
    before = path
  })
}

const patience = 3000 // ms that a page may take to have a heading

/**
 * @param {string} path
 * @param {Element | null} focused what had the focus when the page was left: a person who has moved on is not called back
 */
function headTo(path, focused) {
  const until = Date.now() + patience
  const look = () => {
    const moved = document.activeElement !== focused && document.activeElement !== document.body
    if (route.peek().path !== path || moved || Date.now() > until) return
    const heading = document.querySelector('main h1')
    if (!(heading instanceof HTMLElement)) return void setTimeout(look, 50)
    heading.tabIndex = -1
    heading.focus({ preventScroll: true })
  }
  setTimeout(look, 50) // the page before is still there
}
