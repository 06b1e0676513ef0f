// How much an export will be, in words.

import { html } from 'preact'
import { ApiError, request } from '../../../core/api.js'
import { bytes, number } from '../../../core/format.js'
import { zoneName } from '../../../core/prefs.js'
import { rangeText } from '../../../core/range.js'
import { useLoad } from '../../../parts/load.js'
import { text } from '../../../text/en.js'
import { estimate } from './estimate.js'
import { exportAddress } from './request.js'

/** @typedef {import('./estimate.js').Estimate} Estimate */

/**
 * @typedef {object} Amount
 * @property {Estimate | null} about null while it is not known
 * @property {boolean} tooMuch whether the server does not answer with it at once
 * @property {Error | null} error
 */

const large = 1_000_000 // rows from which on the server is asked whether it would answer

/**
 * @param {import('./request.js').Selection} selection
 * @param {import('../../../core/range.js').Range} range
 * @returns {Amount}
 */
export function useAmount(selection, range) {
  const load = async (/** @type {AbortSignal} */ signal) => {
    const about = await estimate(selection, range, signal)
    const tooMuch = about.rows > large ? await refused(exportAddress(selection, range, zoneName()), signal) : false
    return { about, tooMuch }
  }
  const { data, error } = useLoad(load, [selection, rangeText(range)])
  return { about: data?.about ?? null, tooMuch: data?.tooMuch ?? false, error }
}

/**
 * Whether the server refuses a file of that size: it does so before it begins.
 * @param {string} path
 * @param {AbortSignal} signal
 */
async function refused(path, signal) {
  try {
    const answer = await request(path, { signal })
    await answer.body?.cancel()
    return false
  } catch (error) {
    if (error instanceof ApiError && error.status === 422) return true
    throw error
  }
}

/** @param {{amount: Amount, raw: boolean}} props */
export function Amount({ amount: { about, tooMuch, error }, raw }) {
  const t = text.transfer
  const said = () => {
    if (about && tooMuch) return t.tooMuch(roundly(about.rows), raw)
    if (about)
      return about.rows ? t.about(roundly(about.rows), bytes(Number(about.bytes.toPrecision(2))), about.more) : t.noRows
    return error ? t.unknownSize : t.counting
  }
  return html`<p class=${tooMuch ? 'notice' : 'soft amount'} role="status">${said()}</p>`
}

/** @param {number} rows */
function roundly(rows) {
  return number(rows < 1000 ? rows : Number(rows.toPrecision(2)))
}
