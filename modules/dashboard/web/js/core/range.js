// A range of time as it stands in the URL and as people write it: the last 24 h, which moves on with the clock, or from a
// time to a time, which stays.

import { zonedTime } from './zoned.js'

/**
 * @typedef {object} Range
 * @property {number} from Unix ms
 * @property {number} to Unix ms
 * @property {number} last its length when it ends now and moves on, else 0
 */

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** The buttons' ranges, as they stand in the URL. */
export const presets = ['15m', '1h', '6h', '24h', '7d', '30d', '1y']

const longest = 100 * 366 * units.d

/**
 * The length that text such as 15m, 24 h, 7 days or 1y means, or 0.
 * @param {string} text
 * @returns {number} ms
 */
export function lengthOf(text) {
  const match =
    /^(\d+(?:\.\d+)?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?|mo|months?|y|years?)$/i.exec(
      text.trim(),
    )
  if (!match) return 0
  const unit = match[2].toLowerCase()
  const ms = unit.startsWith('mo')
    ? 30 * units.d
    : unit[0] === 'y'
      ? 365 * units.d
      : units[/** @type {keyof units} */ (unit[0])]
  return Math.min(longest, Math.round(Number(match[1]) * ms))
}

/**
 * Reads a range of the URL or of a person: "24h", "last 3 days", "today", "yesterday", "this week",
 * "2026-11-01 to 2026-11-05 12:00", "1790000000000..1790003600000".
 * @param {string} text
 * @param {number} now Unix ms
 * @param {string} zone IANA name, which times without one are in
 * @returns {Range | null} null when it cannot be read
 */
export function parseRange(text, now, zone) {
  const said = text
    .trim()
    .replace(/^(the\s+)?last\s+/i, '')
    .replace(/^-/, '')
  const last = lengthOf(/^\d/.test(said) ? said : '1 ' + said)
  if (last) return { from: now - last, to: now, last }
  const named = namedRange(said.toLowerCase(), now, zone)
  if (named) return named
  const ends = said.split(/\s*(?:\.\.|\s+to\s+|\s+–\s+|\s+-\s+)\s*/)
  if (ends.length !== 2) return null
  const from = moment(ends[0], now, zone, false)
  const to = moment(ends[1], now, zone, true)
  return from !== null && to !== null && from < to && to - from <= longest ? { from, to, last: 0 } : null
}

/**
 * @param {string} name
 * @param {number} now
 * @param {string} zone
 * @returns {Range | null}
 */
function namedRange(name, now, zone) {
  const today = zonedTime(now, zone)
  /** @param {number} days */
  const midnight = (days) => today.at(today.year, today.month, today.day + days)
  const back = (today.weekday + 6) % 7 // days since Monday
  switch (name) {
    case 'today':
      return { from: midnight(0), to: midnight(1), last: 0 }
    case 'yesterday':
      return { from: midnight(-1), to: midnight(0), last: 0 }
    case 'this week':
      return { from: midnight(-back), to: midnight(7 - back), last: 0 }
    case 'last week':
      return { from: midnight(-back - 7), to: midnight(-back), last: 0 }
    case 'this month':
      return { from: today.at(today.year, today.month, 1), to: today.at(today.year, today.month + 1, 1), last: 0 }
    default:
      return null
  }
}

/**
 * @param {string} text
 * @param {number} now
 * @param {string} zone
 * @param {boolean} end whether a date without a time means the end of that day
 * @returns {number | null}
 */
function moment(text, now, zone, end) {
  if (/^now$/i.test(text)) return now
  if (/^\d{11,14}$/.test(text)) return Number(text)
  const back = /^-?(.+?)\s+ago$/i.exec(text)
  if (back && lengthOf(back[1])) return now - lengthOf(back[1])
  if (/(Z|[+-]\d\d:?\d\d)$/.test(text) && text.includes('T'))
    return Number.isNaN(Date.parse(text)) ? null : Date.parse(text)
  const local = /^(\d{4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?):(\d\d)(?::(\d\d))?)?$/.exec(text)
  if (!local) return null
  const [year, month, day, hour, minute, second] = local.slice(1).map((part) => Number(part ?? 0))
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 59) return null
  const whole = local[4] === undefined
  return zonedTime(now, zone).at(year, month, day + (whole && end ? 1 : 0), hour, minute, second)
}

/**
 * The range as it stands in the URL.
 * @param {Range} range
 */
export function rangeText(range) {
  return range.last ? lengthText(range.last) : `${Math.round(range.from)}..${Math.round(range.to)}`
}

/**
 * A length as presets write it.
 * @param {number} ms
 */
export function lengthText(ms) {
  if (ms % (365 * units.d) === 0) return `${ms / (365 * units.d)}y`
  for (const unit of /** @type {const} */ (['d', 'h', 'm'])) {
    if (ms % units[unit] === 0 && !(unit === 'd' && ms === units.d)) return `${ms / units[unit]}${unit}`
  }
  return `${Math.round(ms / 1000)}s`
}

/**
 * The range as of now.
 * @param {Range} range
 * @param {number} now
 * @returns {Range}
 */
export function rangeAt(range, now) {
  return range.last ? { from: now - range.last, to: now, last: range.last } : range
}
