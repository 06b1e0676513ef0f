// Where the page is: the address bar as a signal, links, and what is shown as the URL's query.

import { signal } from 'preact'

/**
 * @typedef {object} Route
 * @property {string} path such as /devices/greenhouse-7
 * @property {string[]} parts its decoded parts: ['devices', 'greenhouse-7']
 * @property {URLSearchParams} query not to be changed: see setQuery
 */

/** @returns {Route} */
function read() {
  const { pathname, search } = location
  return { path: pathname, parts: pathname.split('/').filter(Boolean).map(decode), query: new URLSearchParams(search) }
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The route; components that read it are drawn again when it changes. */
export const route = signal(read())

/**
 * Shows another page.
 * @param {string} href a path of this page, with its query
 * @param {{replace?: boolean}} [options] replace leaves no entry in the history
 */
export function go(href, { replace = false } = {}) {
  if (replace) history.replaceState(null, '', href)
  else history.pushState(null, '', href)
  const before = route.value.path
  route.value = read()
  if (route.value.path !== before && !replace) scrollTo(0, 0)
}

/**
 * Changes what is shown. Values that are undefined or '' leave the URL; arrays repeat the name.
 * @param {Record<string, string | string[] | undefined>} changes
 * @param {{replace?: boolean}} [options] replace leaves no entry in the history: for the steps of a drag
 */
export function setQuery(changes, options) {
  const query = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name)
    for (const one of Array.isArray(value) ? value : [value]) if (one) query.append(name, one)
  }
  const text = query.toString()
  go(location.pathname + (text ? '?' + text : ''), options)
}

/**
 * The path of a device's page.
 * @param {string} id
 */
export function devicePath(id) {
  return '/devices/' + encodeURIComponent(id)
}

/** Starts to follow the address bar and the links of the page. Call it once. */
export function startRoutes() {
  addEventListener('popstate', () => (route.value = read()))
  document.addEventListener('click', follow)
}

/**
 * Links are plain anchors: what the browser does with them by keys and menus stays.
 * @param {MouseEvent} event
 */
function follow(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
  if (link.pathname.startsWith('/api/') || link.pathname === '/metrics') return
  event.preventDefault()
  go(link.pathname + link.search)
}
