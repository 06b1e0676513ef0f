// Times that are counts: which unit they seem to be in, and how they are written as the API takes them.

/** @typedef {'' | 's' | 'ms' | 'us' | 'ns'} Unit '' for what is no count */

/** Units, by how many of them a second has. */
const perSecond = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 }

/** The units to choose from. */
export const units = /** @type {(keyof typeof perSecond)[]} */ (['ns', 'us', 'ms', 's'])

const year2000 = 946_684_800
const year2100 = 4_102_444_800

/**
 * The unit in which a count is a time from 2000 until 2100.
 * @param {string} count
 * @returns {Unit}
 */
export function unitOf(count) {
  if (!/^\d+(\.\d+)?$/.test(count)) return ''
  const found = Object.entries(perSecond).find(([, n]) => Number(count) / n >= year2000 && Number(count) / n < year2100)
  return found ? /** @type {Unit} */ (found[0]) : ''
}

/**
 * The instant that a count is, in Unix ms; NaN for what is none.
 * @param {string} count
 * @param {Unit} unit
 */
export function instantOf(count, unit) {
  return unit && /^\d+(\.\d+)?$/.test(count) ? (Number(count) / perSecond[unit]) * 1000 : Date.parse(count)
}

/**
 * A count in the unit as Unix milliseconds, in digits; what is no count stays as it is.
 * @param {string} count
 * @param {Unit} unit
 */
export function inMillis(count, unit) {
  const found = /^(\d{1,20})(?:\.(\d+))?$/.exec(count)
  if (!found || !unit || unit === 'ms') return count
  const [, whole, fraction = ''] = found
  const shift = { s: 3, us: -3, ns: -6 }[unit]
  if (shift > 0) return (whole + (fraction + '000').slice(0, shift)).replace(/^0+(?=\d)/, '')
  return whole.slice(0, shift) || '0'
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()
const comma = 44
const quote = 34

/**
 * What writes the times of records in milliseconds. Times in quotes, and what is no count, stay for the server to judge.
 * @param {import('./syntax.js').Format} format
 * @param {Unit} unit of the file
 * @param {number} column of the time, in CSV
 * @returns {((text: Uint8Array) => Uint8Array) | null} null where there is nothing to do
 */
export function converterOf(format, unit, column) {
  if (!unit || unit === 'ms' || format === 'lines') return null
  if (format === 'ndjson')
    return converted((text) =>
      text.replace(/("ts"\s*:\s*)(\d+(?:\.\d+)?)(?=\s*[,}])/, (_, key, count) => key + inMillis(count, unit)),
    )
  return column < 0 ? null : (row) => rowInMillis(row, unit, column)
}

/** @param {(text: string) => string} convert */
function converted(convert) {
  return (/** @type {Uint8Array} */ text) => encoder.encode(convert(decoder.decode(text)))
}

/**
 * @param {Uint8Array} row
 * @param {Unit} unit
 * @param {number} column
 */
function rowInMillis(row, unit, column) {
  let start = 0
  for (let i = 0; i < column; i++) {
    const end = row.indexOf(comma, start)
    if (end < 0 || row.subarray(start, end).indexOf(quote) >= 0) return row
    start = end + 1
  }
  const found = row.indexOf(comma, start)
  const end = found < 0 ? row.length : found
  const count = decoder.decode(row.subarray(start, end)).trim()
  const millis = inMillis(count, unit)
  if (millis === count) return row
  const written = encoder.encode(millis)
  const out = new Uint8Array(start + written.length + row.length - end)
  out.set(row.subarray(0, start))
  out.set(written, start)
  out.set(row.subarray(end), start + written.length)
  return out
}
