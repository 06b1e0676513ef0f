// A list of the API that comes page by page.

import { api } from '../core/api.js'

const most = 10_000 // entries: beyond that no person looks through a list

/**
 * All entries of a list.
 * @param {string} path
 * @param {string} name of the member that holds the entries
 * @param {Parameters<typeof api.get>[1]} query
 * @param {AbortSignal} signal
 * @returns {Promise<any[]>}
 */
export async function allPages(path, name, query, signal) {
  const entries = []
  let cursor = ''
  do {
    const answer = await api.get(path, { ...query, limit: 1000, cursor }, signal)
    entries.push(...answer[name])
    cursor = answer.next_cursor ?? ''
  } while (cursor && entries.length < most)
  return entries
}
