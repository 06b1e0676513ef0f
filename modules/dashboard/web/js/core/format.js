// Numbers and times as people read them.

const thin = '\u2009' // between thousands
const minus = '\u2212'
const none = '–'

/**
 * How many decimals a metric has, learned from some of its values: 21.5 and 20.25 have two. At most six are shown.
 * @param {Iterable<number | null>} values
 * @returns {number}
 */
export function decimalsOf(values) {
  let most = 0
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue
    const [digits, exponent] = String(Number(Math.abs(value).toPrecision(12))).split('e') // beyond that is rounding: 0.1 + 0.2
    const fraction = (digits.split('.')[1] ?? '').length - Number(exponent ?? 0)
    most = Math.max(most, Math.min(6, fraction))
  }
  return most
}

/**
 * Writes a value with a fixed number of decimals, or with as many as it has. Very large and very small ones are written
 * with a power of ten.
 * @param {number | null | undefined} value
 * @param {number} [decimals]
 * @returns {string}
 */
export function number(value, decimals) {
  if (value === null || value === undefined || !Number.isFinite(value)) return none
  const size = Math.abs(value)
  if (size >= 1e12 || (size > 0 && size < 1e-6)) return power(value)
  const places = decimals ?? decimalsOf([value])
  const [whole, fraction] = size.toFixed(places).split('.')
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, thin) : whole
  const text = fraction ? `${grouped}.${fraction}` : grouped
  return value < 0 && Number(size.toFixed(places)) !== 0 ? minus + text : text
}

/** @param {number} value */
function power(value) {
  const [digits, exponent] = value.toExponential(3).split('e')
  const raised = [...String(Number(exponent))].map((c) => '⁰¹²³⁴⁵⁶⁷⁸⁹'['0123456789'.indexOf(c)] ?? '⁻').join('')
  return `${Number(digits)}${thin}×${thin}10${raised}`.replace('-', minus)
}

/**
 * A value with its unit.
 * @param {number | null | undefined} value
 * @param {string | null | undefined} unit
 * @param {number} [decimals]
 */
export function quantity(value, unit, decimals) {
  const text = number(value, decimals)
  if (!unit || text === none) return text
  return unit === '%' || unit === '°' ? text + unit : `${text}\u202f${unit}`
}

/**
 * Bytes, in units of 1024.
 * @param {number} n
 */
export function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let step = 0
  while (n >= 1024 && step < units.length - 1) [n, step] = [n / 1024, step + 1]
  return `${number(n, step === 0 || n >= 100 ? 0 : 1)}\u202f${units[step]}`
}

/**
 * A length of time in its two largest units: 12 min, 3 h 5 min, 4 d.
 * @param {number} ms
 */
export function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s < 60) return `${s} s`
  const m = Math.floor(s / 60)
  if (m < 60) return m < 10 && s % 60 ? `${m} min ${s % 60} s` : `${m} min`
  const h = Math.floor(m / 60)
  if (h < 24) return m % 60 ? `${h} h ${m % 60} min` : `${h} h`
  const d = Math.floor(h / 24)
  return h % 24 && d < 7 ? `${d} d ${h % 24} h` : `${d} d`
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map()

/**
 * @param {string} zone IANA name
 * @param {string} name
 * @param {Intl.DateTimeFormatOptions} options
 */
function format(zone, name, options) {
  const key = zone + name
  let made = formats.get(key)
  if (!made)
    formats.set(key, (made = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', ...options })))
  return made
}

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const shapes = {
  second: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  minute: { hour: '2-digit', minute: '2-digit' },
  weekday: { weekday: 'short', day: 'numeric' },
  day: { day: 'numeric', month: 'short' },
  month: { month: 'short', year: 'numeric' },
  year: { year: 'numeric' },
  date: { day: 'numeric', month: 'short', year: 'numeric' },
  moment: {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  },
}

/**
 * A time in one shape: second 14:02:05, minute 14:02, weekday Fri 27, day 27 Nov, month Nov 2026, year, date, moment (all of it).
 * @param {number} ts Unix ms
 * @param {keyof typeof shapes} shape
 * @param {string} zone IANA name
 */
export function time(ts, shape, zone) {
  return format(zone, String(shape), shapes[shape]).format(ts)
}

/**
 * How long ago: relative up to an hour, then the clock, then the date.
 * @param {number | null | undefined} ts Unix ms
 * @param {number} now Unix ms
 * @param {string} zone IANA name
 */
export function ago(ts, now, zone) {
  if (ts === null || ts === undefined) return none
  const past = now - ts
  if (past < 0) return time(ts, 'minute', zone)
  if (past < 3_600_000) return past < 1000 ? 'now' : `${duration(past < 60_000 ? past : past - (past % 60_000))} ago`
  if (time(ts, 'date', zone) === time(now, 'date', zone)) return time(ts, 'minute', zone)
  return past < 6 * 86_400_000 ? `${time(ts, 'weekday', zone)}, ${time(ts, 'minute', zone)}` : time(ts, 'date', zone)
}
