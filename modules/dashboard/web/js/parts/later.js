// A page that comes in a script of its own.

import { html, useEffect } from 'preact'
import { ApiError } from '../core/api.js'
import { fetchPages, laterFailed, laterPages } from '../core/later.js'
import { Failure, Loading } from './states.js'

/** @param {{name: string}} props the first part of its path */
export function Later({ name }) {
  useEffect(fetchPages, [])
  // A browser does not fetch a script again that it could not have: only a new document does.
  if (laterFailed.value) return html`<${Failure} error=${new ApiError(0, {}, 0)} retry=${() => location.reload()} />`
  const pages = laterPages.value
  return pages ? html`<${pages[name]} key=${name} />` : html`<${Loading} />`
}
