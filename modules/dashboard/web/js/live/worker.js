// The shared worker: the hub for all tabs of a browser. A tab that is closed without saying so is forgotten once it has been
// silent for some minutes, since browsers let the timers of hidden tabs run once a minute only.

import { Hub } from './hub.js'

const patience = 200_000 // ms
const hub = new Hub()

/**
 * @param {MessagePort} port
 */
function serve(port) {
  const tab = { say: (/** @type {unknown} */ said) => port.postMessage(said) }
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let silent
  const heard = () => {
    clearTimeout(silent)
    silent = setTimeout(() => hub.leave(tab), patience) // if it speaks again, it is told to join once more
  }
  port.onmessage = ({ data }) => {
    heard()
    hub.hear(tab, data)
  }
  port.start()
}

/**
 * Serves the tabs that connect.
 * @type {any}
 */
const scope = globalThis
if ('onconnect' in scope) scope.onconnect = (/** @type {MessageEvent} */ event) => serve(event.ports[0])
