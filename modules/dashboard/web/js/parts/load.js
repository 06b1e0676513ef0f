// Data of the API for a page: what was there stays while it is loaded once more, or fails.

import { useEffect, useState } from 'preact'
import { ApiError } from '../core/api.js'

const again = 5000 // ms after which what may have passed is tried once more

/**
 * @template T
 * @typedef {object} Loaded
 * @property {T | null} data
 * @property {Error | null} error why the last attempt failed
 * @property {number} since when data was loaded, Unix ms
 * @property {() => void} reload
 */

/**
 * Loads when it is first drawn and when a dependency changes, and by itself after what may pass. Data of other dependencies is not shown.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {unknown[]} dependencies
 * @param {{every?: number}} [options] every loads once more after that many ms, while the page is seen
 * @returns {Loaded<T>}
 */
export function useLoad(load, dependencies, { every = 0 } = {}) {
  const [state, setState] = useState({
    data: /** @type {T | null} */ (null),
    error: /** @type {Error | null} */ (null),
    since: 0,
    of: '',
  })
  const [turn, setTurn] = useState(0)
  const of = JSON.stringify(dependencies)
  useEffect(() => {
    const request = new AbortController()
    load(request.signal).then(
      (data) => request.signal.aborted || setState({ data, error: null, since: Date.now(), of }),
      (error) =>
        request.signal.aborted ||
        setState((before) => ({ ...before, error, data: before.of === of ? before.data : null, of })),
    )
    return () => request.abort()
  }, [of, turn])
  useEffect(() => {
    if (!every) return undefined
    const look = () => document.hidden || setTurn((t) => t + 1)
    const timer = setInterval(look, every)
    document.addEventListener('visibilitychange', look) // what was hidden may be long past
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [every])
  useEffect(() => {
    const { error } = state
    if (!(error instanceof ApiError) || !error.passing) return undefined
    const timer = setTimeout(() => setTurn((t) => t + 1), Math.max(again, 1000 * error.retryAfter))
    return () => clearTimeout(timer)
  }, [state])
  const current = state.of === of
  return {
    data: current ? state.data : null,
    error: current ? state.error : null,
    since: state.since,
    reload: () => setTurn((t) => t + 1),
  }
}
