// What is drawn many times over is drawn one at a time: a frame gets as much of it as fits in a few milliseconds, and the rest waits for
// the next. So no task is long, however many charts a page has.

const budget = 6 // ms of a frame; the browser needs some for layout and painting

/** @type {Map<unknown, () => void>} by key, in the order of asking */
const soon = new Map()
/** @type {Map<unknown, () => void>} */
const later = new Map()
let frame = 0

/**
 * Has a piece of work done in one of the next frames. A piece that has the key of one that waits takes its place.
 * @param {unknown} key
 * @param {() => void} work
 * @param {boolean} [first] whether it goes before what is not seen
 */
export function inTurn(key, work, first = true) {
  if (first) later.delete(key)
  const queue = first || soon.has(key) ? soon : later
  queue.set(key, work)
  frame ||= requestAnimationFrame(run)
}

/**
 * Gives up a piece that waits.
 * @param {unknown} key
 */
export function outOfTurn(key) {
  soon.delete(key)
  later.delete(key)
}

async function run() {
  const began = performance.now()
  do {
    next()
    await null // what a piece leaves to the end of the task, such as the drawing of components, is of its time
  } while (soon.size + later.size && performance.now() - began < budget)
  frame = soon.size + later.size ? requestAnimationFrame(run) : 0
}

function next() {
  const queue = soon.size ? soon : later
  for (const [key, work] of queue) {
    queue.delete(key)
    try {
      work()
    } catch (error) {
      reportError(error)
    }
    return
  }
}
