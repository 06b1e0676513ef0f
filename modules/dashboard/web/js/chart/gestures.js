// The mouse and fingers on a chart, beyond what uPlot has. Mouse: Shift and drag to pan, Ctrl and wheel to zoom, double click to
// go back. Fingers: two to zoom and pan, a tap of two to go back, one held or moved sideways to read values; all else scrolls.

import { hold, moved } from './grip.js'

/** @typedef {import('./view.js').View} View */
/** @typedef {import('uplot').default} uPlot */

const wheelRest = 180 // ms after the last turn of the wheel, at which its range is taken

/**
 * @param {uPlot} plot
 * @param {View} view
 * @returns {() => void} takes them away
 */
export function addGestures(plot, view) {
  const stop = new AbortController()
  addMouse(plot.over, view, stop.signal)
  addFingers(plot, view, stop.signal)
  return () => stop.abort()
}

/**
 * @param {HTMLElement} over
 * @param {View} view
 * @param {AbortSignal} signal
 */
function addMouse(over, view, signal) {
  /** @type {import('./grip.js').Grip | null} */
  let grip = null
  const on = (/** @type {string} */ kind, /** @type {(event: any) => void} */ act, more = {}) =>
    over.addEventListener(kind, act, { signal, ...more })
  on('mousedown', (event) => event.shiftKey && event.stopImmediatePropagation(), { capture: true }) // uPlot would select
  on('pointerdown', (/** @type {PointerEvent} */ event) => {
    if (event.pointerType === 'touch' || !event.shiftKey || event.button !== 0) return
    grip = hold(over, view.edges(), [event.clientX])
    over.setPointerCapture(event.pointerId)
  })
  on('pointermove', (/** @type {PointerEvent} */ event) => {
    if (grip) view.preview.value = moved(grip, [event.clientX])
  })
  const end = () => {
    if (grip) view.settle()
    grip = null
  }
  on('pointerup', end)
  on('pointercancel', end)
  on('dblclick', () => view.back())
  on('wheel', (event) => wheel(event, over, view), { passive: false })
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let resting

/**
 * @param {WheelEvent} event
 * @param {HTMLElement} over
 * @param {View} view
 */
function wheel(event, over, view) {
  if (!event.ctrlKey && !event.metaKey) return // the page scrolls
  event.preventDefault()
  const { left, width } = over.getBoundingClientRect()
  const { from, to } = view.edges()
  const at = from + ((to - from) * (event.clientX - left)) / width
  const factor = Math.exp(Math.max(-1, Math.min(1, event.deltaY / 300)))
  view.preview.value = { from: at - (at - from) * factor, to: at + (to - at) * factor }
  clearTimeout(resting)
  resting = setTimeout(() => view.settle(), wheelRest)
}

const holdFor = 250 // ms
const slack = 8 // px that a finger may move and still rest
const tapFor = 350 // ms

/**
 * @param {uPlot} plot
 * @param {View} view
 * @param {AbortSignal} signal
 */
function addFingers(plot, view, signal) {
  const { over } = plot
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map()
  const state = { reading: false, began: 0, most: 0, moved: false }
  /** @type {import('./grip.js').Grip | null} */
  let grip = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let holding
  const positions = () => [...fingers.values()].map(({ x }) => x)
  const read = (/** @type {number} */ x) => plot.setCursor({ left: x - over.getBoundingClientRect().left, top: 0 })
  const start = (/** @type {number} */ x) => {
    state.reading = true
    read(x)
  }
  const on = (/** @type {string} */ kind, /** @type {(event: any) => void} */ act, more = {}) =>
    over.addEventListener(kind, act, { signal, ...more })

  on('pointerdown', (/** @type {PointerEvent} */ event) => {
    if (event.pointerType !== 'touch') return
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    clearTimeout(holding)
    if (fingers.size === 1) {
      Object.assign(state, { reading: false, began: event.timeStamp, most: 0, moved: false })
      holding = setTimeout(() => start(event.clientX), holdFor)
    }
    state.most = Math.max(state.most, fingers.size)
    if (fingers.size !== 2) return
    state.reading = false
    grip = hold(over, view.edges(), positions())
  })
  on('pointermove', (/** @type {PointerEvent} */ event) => {
    const before = fingers.get(event.pointerId)
    if (!before) return
    const [dx, dy] = [Math.abs(event.clientX - before.x), Math.abs(event.clientY - before.y)]
    if (fingers.size === 1 && state.most === 1) {
      if (state.reading) return read(event.clientX)
      if (dx > slack || dy > slack) clearTimeout(holding)
      if (dx > slack && dx > dy) start(event.clientX)
      return
    }
    if (!state.moved && dx < slack) return // a tap of two trembles
    state.moved = true
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    if (grip && fingers.size === 2) view.preview.value = moved(grip, positions())
  })
  on('pointerup', (/** @type {PointerEvent} */ event) => {
    if (!fingers.delete(event.pointerId)) return
    clearTimeout(holding)
    if (grip && state.moved) view.settle()
    else if (grip && event.timeStamp - state.began < tapFor) view.back()
    grip = null
    if (state.reading && !fingers.size) plot.setCursor({ left: -10, top: -10 })
  })
  on('pointercancel', (/** @type {PointerEvent} */ event) => {
    if (!fingers.delete(event.pointerId)) return
    clearTimeout(holding)
    grip = null
    view.preview.value = null
  })
  on('touchmove', (event) => (state.reading || grip) && event.cancelable && event.preventDefault(), { passive: false })
  on('contextmenu', (event) => fingers.size > 0 && event.preventDefault()) // of a finger held
}
