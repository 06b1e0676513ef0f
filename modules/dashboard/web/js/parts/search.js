// The search of the whole page: devices, metrics, boards and pages.

import { html, useEffect } from 'preact'
import { rank } from '../core/rank.js'
import { go } from '../core/route.js'
import { text } from '../text/en.js'
import { Finder } from './finder.js'
import { onKey } from './keys.js'
import { askServer, known, learn } from './known.js'

const most = 12

/** @param {{pages: {href: string, name: string}[]}} props the pages that there are for this person */
export function Search({ pages }) {
  useEffect(() => onKey({ '/': focusSearch }), [])
  const places = pages.map(({ href, name }) => ({
    key: 'page\n' + href,
    kind: 'page',
    name,
    detail: '',
    href,
    words: name.toLowerCase(),
  }))
  const find = (/** @type {string} */ said) => rank([...places, ...known.value.filter(({ href }) => href)], said, most)
  return html`<search class="search"><${Finder} label=${text.shell.search} name="search" find=${find} onFocus=${learn} onSay=${askServer}
    choose=${(/** @type {{href: string}} */ { href }) => go(href)} /><kbd aria-hidden="true">/</kbd></search>`
}

function focusSearch() {
  const field = document.querySelector('.search input')
  if (field instanceof HTMLElement) field.focus()
}
