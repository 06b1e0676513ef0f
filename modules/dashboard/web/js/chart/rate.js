// Counters, which only ever grow, as the rate at which they do.

import { Points } from './points.js'

/**
 * Whether a series looks like a counter: it grows and never falls, but to begin again.
 * @param {Points} points
 */
export function isCounter(points) {
  const values = points.width ? points.greatest : points.values
  let grown = 0
  let fallen = 0
  for (let i = 1; i < values.length; i++) {
    const by = (values[i] ?? 0) - (values[i - 1] ?? 0)
    if (by > 0) grown++
    if (by < 0) fallen++
  }
  return grown > 2 && fallen * 100 <= grown && values.length > 3
}

/**
 * The growth between each two points. Where it falls it has begun again from zero.
 * @param {Points} points
 * @returns {{points: Points, per: 's' | 'h'}} with readings as they are, whatever those points stand for; what grows slowly is told
 *   per hour
 */
export function rateOf(points) {
  const rate = new Points()
  const values = points.width ? points.greatest : points.values // of a bucket of a counter the greatest is the last
  let most = 0
  for (let i = 1; i < points.length; i++) {
    const [before, now] = [values[i - 1], values[i]]
    if (before === null || now === null) continue
    const value = ((now < before ? now : now - before) * 1000) / (points.ts[i] - points.ts[i - 1])
    most = Math.max(most, value)
    rate.ts.push(points.ts[i])
    rate.values.push(value)
  }
  if (most >= slow) return { points: rate, per: 's' }
  rate.values = rate.values.map((value) => (value ?? 0) * 3600)
  return { points: rate, per: 'h' }
}

const slow = 0.1 // per second, below which hours make better numbers
