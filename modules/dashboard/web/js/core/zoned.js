// The calendar of a time zone. Browsers write the time of a zone, but do not read it: reading is done by looking for it.

/**
 * @typedef {object} Zoned
 * @property {number} year
 * @property {number} month 1 to 12
 * @property {number} day
 * @property {number} hour
 * @property {number} minute
 * @property {number} second
 * @property {number} weekday 0 is Sunday
 * @property {(year: number, month: number, day: number, hour?: number, minute?: number, second?: number) => number} at the
 *   instant of a time in this zone in Unix ms. Months and days outside of their range count on, as Date.UTC has it. A time that
 *   the clocks leave out is moved on, of one that comes twice the first counts.
 */

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map()

/**
 * The calendar in that zone at an instant.
 * @param {number} ts Unix ms
 * @param {string} zone IANA name
 * @returns {Zoned}
 */
export function zonedTime(ts, zone) {
  const wall = wallOf(ts, zone)
  const date = new Date(wall)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    at: (year, month, day, hour = 0, minute = 0, second = 0) =>
      instantOf(Date.UTC(year, month - 1, day, hour, minute, second), zone),
  }
}

/**
 * What the clocks of the zone show, as if it were UTC.
 * @param {number} ts
 * @param {string} zone
 */
function wallOf(ts, zone) {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zone, format)
  }
  /** @type {Record<string, number>} */
  const part = {}
  for (const { type, value } of format.formatToParts(ts)) part[type] = Number(value)
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second)
}

/**
 * @param {number} wall
 * @param {string} zone
 */
function instantOf(wall, zone) {
  const day = 86_400_000
  const before = wall - (wallOf(wall - day, zone) - (wall - day))
  const after = wall - (wallOf(wall + day, zone) - (wall + day))
  if (wallOf(before, zone) === wall) return before // the first of two, too: the clocks go back from the offset before
  if (wallOf(after, zone) === wall) return after
  return before // left out: moved on by the difference
}
