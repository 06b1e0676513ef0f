// Where fingers, or the mouse, have taken hold of the time axis, and the range when they have moved.

/**
 * @typedef {object} Grip
 * @property {number[]} px from the left edge
 * @property {number[]} ts what was beneath, Unix ms
 * @property {number} left
 * @property {number} width
 * @property {number} perPx ms that a pixel stood for
 */

const shortest = 1000 // ms that can be zoomed into
const longest = 100 * 365 * 86_400_000

/**
 * @param {{getBoundingClientRect: () => {left: number, width: number}}} over the plotted area
 * @param {{from: number, to: number}} edges Unix ms
 * @param {number[]} clientX of one or two
 * @returns {Grip}
 */
export function hold(over, { from, to }, clientX) {
  const { left, width } = over.getBoundingClientRect()
  const px = clientX.map((x) => x - left)
  return { px, ts: px.map((x) => from + ((to - from) * x) / width), left, width, perPx: (to - from) / width }
}

/**
 * The range in which what was taken hold of is where they are now.
 * @param {Grip} grip
 * @param {number[]} clientX
 * @returns {{from: number, to: number}} Unix ms
 */
export function moved(grip, clientX) {
  const px = clientX.map((x) => x - grip.left)
  let { perPx } = grip
  if (px.length === 2) {
    const apart = Math.max(8, Math.abs(px[1] - px[0])) // fingers do not meet
    perPx = Math.abs(grip.ts[1] - grip.ts[0]) / apart
  }
  perPx = Math.min(longest / grip.width, Math.max(shortest / grip.width, perPx))
  const at = px.reduce((sum, x) => sum + x, 0) / px.length
  const ts = grip.ts.reduce((sum, t) => sum + t, 0) / grip.ts.length
  const from = ts - at * perPx
  return { from, to: from + perPx * grip.width }
}
