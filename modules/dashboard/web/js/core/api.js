// Calls of the API: JSON in, JSON out, errors as ApiError.

import { heardTime } from './clock.js'

/**
 * A refusal of the server, or no answer at all (status 0).
 */
export class ApiError extends Error {
  /**
   * @param {number} status 0 when the server could not be reached
   * @param {{title?: string, detail?: string, message?: string, request_id?: string, errors?: Array<{field: string, reason: string}>,
   *   rejected_count?: number}} problem message is where the calls for clients of InfluxDB have the detail
   * @param {number} retryAfter seconds, 0 when the server does not say
   */
  constructor(status, problem, retryAfter) {
    super(problem.detail || problem.message || problem.title || `status ${status}`)
    this.status = status
    this.problem = problem
    this.requestId = problem.request_id ?? ''
    this.errors = problem.errors ?? []
    this.retryAfter = retryAfter
  }

  /** Whether the same call may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

/** Changing the password: there a 401 may mean that the current one is wrong, and says nothing of the session. */
export const passwordPath = '/api/auth/password'

/** @type {Set<() => void>} */
const onUnauthenticated = new Set()

/**
 * Has f called whenever the server says that the session is over.
 * @param {() => void} f
 */
export function whenUnauthenticated(f) {
  onUnauthenticated.add(f)
}

/**
 * Writes a path with its query. Values that are arrays repeat the name; undefined, null and '' are left out.
 * @param {string} path
 * @param {Record<string, string | number | boolean | null | undefined | string[]>} [query]
 * @returns {string}
 */
export function address(path, query = {}) {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== '') parameters.append(name, String(one))
    }
  }
  const text = parameters.toString()
  return text ? `${path}?${text}` : path
}

/**
 * Sends a request and returns the answer whatever its body is.
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 * @throws {ApiError} for every status but 2xx
 */
export async function request(path, options = {}) {
  let answer
  try {
    answer = await fetch(path, { credentials: 'same-origin', ...options })
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new ApiError(0, {}, 0)
  }
  heardTime(answer.headers.get('Date'))
  if (answer.ok) return answer
  const problem = await answer.json().catch(() => ({}))
  if (answer.status === 401 && path !== passwordPath) onUnauthenticated.forEach((f) => f())
  throw new ApiError(answer.status, problem, Number(answer.headers.get('Retry-After')) || 0)
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} null for an answer without a body
 */
async function json(method, path, body, signal) {
  /** @type {RequestInit} */
  const options = { method, signal, headers: { Accept: 'application/json' } }
  if (body !== undefined) {
    options.headers = { ...options.headers, 'Content-Type': 'application/json' }
    options.body = JSON.stringify(body)
  }
  const answer = await request(path, options)
  return answer.status === 204 ? null : answer.json()
}

/** The API's calls. Each returns the decoded answer, and throws ApiError. */
export const api = {
  /** @type {(path: string, query?: Parameters<typeof address>[1], signal?: AbortSignal) => Promise<any>} */
  get: (path, query, signal) => json('GET', address(path, query), undefined, signal),
  /** @type {(path: string, body: unknown) => Promise<any>} */
  post: (path, body) => json('POST', path, body),
  /** @type {(path: string, body: unknown) => Promise<any>} */
  put: (path, body) => json('PUT', path, body),
  /** @type {(path: string, body: unknown) => Promise<any>} */
  patch: (path, body) => json('PATCH', path, body),
  /** @type {(path: string) => Promise<any>} */
  remove: (path) => json('DELETE', path),
}
