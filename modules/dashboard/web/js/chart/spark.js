// A sparkline: the shape of a day in the height of a row.

import { html } from 'preact'

/**
 * @param {{points: [number, number | null][], from: number, to: number, width?: number, height?: number, shade?: number}} props points are
 *   Unix ms and value
 */
export function Spark({ points, from, to, width = 96, height = 24, shade = 0 }) {
  const values = /** @type {number[]} */ (points.map((p) => p[1]).filter((v) => v !== null))
  if (values.length < 2) return html`<svg class="spark" width=${width} height=${height} aria-hidden="true"></svg>`
  const low = Math.min(...values)
  const span = Math.max(...values) - low || 1
  const gap = (to - from) / 12
  let path = ''
  let before = -Infinity
  for (const [ts, value] of points) {
    if (value === null) continue
    const x = ((ts - from) / (to - from)) * width
    const y = height - 2 - ((value - low) / span) * (height - 4)
    path += `${ts - before > gap ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
    before = ts
  }
  return html`<svg class=${`spark shade-${shade + 1}`} viewBox=${`0 0 ${width} ${height}`} width=${width} height=${height} aria-hidden="true">
    <path d=${path} /></svg>`
}
