// The time, as the server has it, and as a signal that ticks once a second while the page is seen.

import { signal } from 'preact'

const slack = 3000 // ms that the clocks may be apart: the server tells whole seconds, and answers take a while
let ahead = 0 // ms of this machine's clock, 0 while it is about right

/** Now in Unix ms. A machine whose clock is wrong shows charts up to the server's now all the same. */
export function wall() {
  return Date.now() - ahead
}

/**
 * Hears what time an answer has.
 * @param {string | null} date of its header Date
 */
export function heardTime(date) {
  const apart = Date.now() - Date.parse(date ?? '')
  if (Number.isNaN(apart)) return
  if (Math.abs(apart) <= slack) ahead = 0
  else if (Math.abs(apart - ahead) > slack) ahead = apart
}

/** Now in Unix ms, whole seconds apart. */
export const now = signal(wall())

/** Starts the clock. Call it once. */
export function startClock() {
  const tick = () => (now.value = wall())
  setInterval(() => document.hidden || tick(), 1000)
  document.addEventListener('visibilitychange', tick)
}
