// A metric of two states, 0 and 1, as bands over time.

import { html } from 'preact'
import { wall } from '../core/clock.js'
import { time } from '../core/format.js'
import { text } from '../text/en.js'

/**
 * Whether all that is known of a series is 0 or 1.
 * @param {import('./points.js').Points} points
 */
export function isState(points) {
  const lists = points.width ? [points.least, points.greatest] : [points.values]
  return points.length > 0 && lists.every((list) => list.every((value) => value === null || value === 0 || value === 1))
}

/**
 * @typedef {object} Stretch
 * @property {number} from Unix ms
 * @property {number} to Unix ms
 * @property {number} state 0, 1, or 0.5 where a point stands for both
 */

/**
 * @param {import('./points.js').Points} points
 * @param {number} end up to when the last state is known to hold, Unix ms
 * @returns {Stretch[]}
 */
export function stretchesOf(points, end) {
  const longest = 3 * (points.width || points.step() || end)
  /** @type {Stretch[]} */
  const list = []
  for (let i = 0; i < points.length; i++) {
    const from = points.ts[i]
    const to = Math.min(points.ts[i + 1] ?? end, from + longest)
    const state = points.width && points.least[i] !== points.greatest[i] ? 0.5 : (points.values[i] ?? 0)
    const before = list[list.length - 1]
    if (before && before.state === state && before.to >= from) before.to = to
    else list.push({ from, to, state })
  }
  return list
}

/** @param {{shown: import('./history.js').Shown, from: number, to: number, zone: string}} props */
export function States({ shown, from, to, zone }) {
  const share = (/** @type {number} */ ts) => ((Math.min(to, Math.max(from, ts)) - from) / (to - from)) * 1000
  const stretches = stretchesOf(shown.points, Math.min(to, wall())).filter((s) => s.to > from && s.from < to)
  return html`<svg class="states" viewBox="0 0 1000 20" preserveAspectRatio="none" role="img"
    aria-label=${text.chart.states(shown.metric, stretches.filter((s) => s.state === 1).length)}>
    ${stretches.map(
      (
        s,
      ) => html`<rect key=${s.from} class=${s.state === 1 ? 'on' : s.state === 0 ? 'off' : 'both'} x=${share(s.from)} y="0"
      width=${Math.max(1, share(s.to) - share(s.from))} height="20"><title>${`${text.chart.state(s.state)}: ${time(s.from, 'moment', zone)} – ${time(s.to, 'moment', zone)}`}</title></rect>`,
    )}
  </svg>`
}
