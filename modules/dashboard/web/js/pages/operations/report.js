// The figures of the last hour: asked for once, then only what has been sampled since.

import { api } from '../../core/api.js'

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} unit
 * @property {number | null} limit
 * @property {string} setting the environment variable that changes it, '' for none
 * @property {(number | null)[]} values parallel to the times of the report
 */

/**
 * @typedef {object} Setting an environment variable
 * @property {string} name
 * @property {string} value that is in use, '' for none
 * @property {string} meaning
 */

/**
 * @typedef {object} Report
 * @property {string} version
 * @property {string} started_at
 * @property {number} uptime_seconds
 * @property {number} step_seconds
 * @property {number[]} times Unix ms
 * @property {Figure[]} figures
 * @property {Setting[]} settings those that figures name
 */

const path = '/api/operations'
const kept = 3_600_000 // ms, as the server has it

/**
 * Asks for what is newer than the report that there is.
 * @param {Report | null} before
 * @param {AbortSignal} [signal]
 * @returns {Promise<Report>} with what was there before
 */
export async function newer(before, signal) {
  const since = before?.times.at(-1)
  const answer = await api.get(path, { since }, signal)
  if (!before || !since) return answer
  return follows(before, answer) ? joined(before, answer) : api.get(path, {}, signal)
}

/**
 * Whether an answer goes on where a report ends: it does not after a restart, nor when another instance has answered.
 * @param {Report} before
 * @param {Report} answer
 */
function follows(before, answer) {
  const names = (/** @type {Report} */ report) => report.figures.map(({ name }) => name).join()
  return answer.started_at === before.started_at && names(answer) === names(before)
}

/**
 * @param {Report} before
 * @param {Report} answer
 * @returns {Report} without what is older than an hour
 */
function joined(before, answer) {
  const times = [...before.times, ...answer.times]
  const newest = times[times.length - 1]
  const from = times.findIndex((ts) => newest - ts < kept)
  return {
    ...answer,
    times: times.slice(from),
    figures: answer.figures.map((figure, i) => ({
      ...figure,
      values: [...before.figures[i].values, ...figure.values].slice(from),
    })),
  }
}
