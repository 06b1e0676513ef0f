// The points of several series as columns over one time axis, which is what is drawn.

/** @typedef {import('./points.js').Points} Points */

/**
 * Joins series: one column of times, and for each series columns of values and, if band, of least and greatest values. Where
 * a series has no point at a time it is undefined, so that its line goes on; a gap is null.
 * @param {Points[]} series
 * @param {{band?: boolean}} [options]
 * @returns {[number[], ...(number | null | undefined)[][]]} times in seconds
 */
export function columnsOf(series, { band = false } = {}) {
  const broken = series.map((points) => points.breaks())
  const times = timesOf(series, broken)
  /** @type {(number | null | undefined)[][]} */
  const columns = []
  series.forEach((points, s) => {
    const lists = band ? [points.values, points.least, points.greatest] : [points.values]
    for (const list of lists) columns.push(column(points, list, broken[s], times))
  })
  return [times.map((ts) => ts / 1000), ...columns]
}

/**
 * All times in order, each once.
 * @param {Points[]} series
 * @param {number[][]} broken
 * @returns {number[]} Unix ms
 */
function timesOf(series, broken) {
  if (series.length === 1 && broken[0].length === 0) return series[0].ts
  const all = Float64Array.from(series.flatMap((points, s) => [...points.ts, ...broken[s]])).sort()
  /** @type {number[]} */
  const times = []
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) times.push(all[i])
  return times
}

/**
 * @param {Points} points
 * @param {(number | null)[]} list
 * @param {number[]} broken
 * @param {number[]} times
 */
function column(points, list, broken, times) {
  if (times === points.ts) return list
  /** @type {(number | null | undefined)[]} */
  const made = new Array(times.length)
  let at = 0
  for (let i = 0; i < points.length; i++) {
    while (times[at] < points.ts[i]) at++
    made[at] = list[i] ?? null
  }
  at = 0
  for (const ts of broken) {
    while (times[at] < ts) at++
    if (made[at] === undefined) made[at] = null
  }
  return made
}
