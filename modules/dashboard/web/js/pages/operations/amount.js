// Figures with as many digits as say something, and their units in words.

import { bytes, duration, number } from '../../core/format.js'
import { text } from '../../text/en.js'

const digits = 3
const gap = '\u202f' // between a number and its unit

/**
 * @param {number | null} value
 * @param {string} unit of the API
 * @returns {{figure: string, unit: string}}
 */
export function amount(value, unit) {
  if (value === null) return { figure: number(null), unit: '' }
  if (unit === 'bytes') return parted(value < 1024 ? rounded(value) + gap + 'B' : bytes(value).replace('.0' + gap, gap))
  if (unit === 'ms') return parted(time(value))
  const units = /** @type {Record<string, (n: number) => string>} */ (text.operations.units)
  return { figure: rounded(value), unit: units[unit]?.(value) ?? unit }
}

/**
 * The same as one text.
 * @param {number | null} value
 * @param {string} unit
 */
export function amountText(value, unit) {
  const made = amount(value, unit)
  return made.unit ? made.figure + gap + made.unit : made.figure
}

/** @param {number} ms */
function time(ms) {
  if (ms < 1000) return rounded(ms) + gap + 'ms'
  return ms < 60_000 ? rounded(ms / 1000) + gap + 's' : duration(ms)
}

/** @param {string} said */
function parted(said) {
  const at = said.indexOf(gap)
  return at < 0 ? { figure: said, unit: '' } : { figure: said.slice(0, at), unit: said.slice(at + 1) }
}

/** @param {number} value */
function rounded(value) {
  return number(value >= 100 ? Math.round(value) : Number(value.toPrecision(digits)))
}
