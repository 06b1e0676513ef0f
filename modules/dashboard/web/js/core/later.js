// Pages that a visit seldom needs. They come in a script of their own, once the first of them is to be shown.

import { signal } from 'preact'

/** The pages by the first part of their path; null until the script is there. */
export const laterPages = signal(/** @type {Record<string, () => any> | null} */ (null))

/** Whether the script could not be fetched. */
export const laterFailed = signal(false)

/** @param {Record<string, () => any>} pages */
export function offerPages(pages) {
  laterPages.value = pages
}

let fetching = false

/** Fetches the script, unless that has been done. */
export function fetchPages() {
  const address = document.querySelector('meta[name="telltale-later"]')?.getAttribute('content')
  if (fetching || !address) return
  fetching = true
  const script = document.createElement('script')
  script.type = 'module'
  script.src = address
  script.onerror = () => (laterFailed.value = true)
  document.head.append(script)
}
