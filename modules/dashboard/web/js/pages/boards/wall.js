// A board on a wall: nothing but tiles. It keeps the screen on, changes boards if asked, and says how old what it shows is.

import { html, useEffect, useState } from 'preact'
import { now } from '../../core/clock.js'
import { duration, time } from '../../core/format.js'
import { zoneName } from '../../core/prefs.js'
import { lengthOf } from '../../core/range.js'
import { go, route } from '../../core/route.js'
import { onKey } from '../../parts/keys.js'
import { connection, lastArrival } from '../../live/live.js'
import { text } from '../../text/en.js'
import { Board } from './board.js'

const idle = 3000 // ms after which the cursor and the buttons go away
const shortest = 5000 // ms that a board stays
const old = 300_000 // ms without a reading that are worth saying

/** @param {{id: string}} props */
export function Wall({ id }) {
  const { query } = route.value
  const boards = (query.get('rotate') ?? '').split(',').filter(Boolean)
  const shown = useTurns(
    boards.length ? boards : [id],
    Math.max(shortest, lengthOf(query.get('every') ?? '') || 30_000),
  )
  const moving = useMoving()
  useEffect(keepAwake, [])
  useEffect(() => onKey({ Escape: () => leave(id) }), [id])
  return html`<main class=${moving ? 'wall moving' : 'wall'}>
    <h1 class="visually-hidden">${text.boards.wall}</h1>
    <${Board} key=${shown} id=${shown} wall />
    <${Age} />
    <div class="wall-tools" hidden=${!moving}>
      <button onClick=${fullScreen}>${text.boards.fullScreen}</button><button onClick=${() => leave(id)}>${text.boards.leaveWall}</button>
    </div></main>`
}

/** @param {string} id */
function leave(id) {
  if (document.fullscreenElement) void document.exitFullscreen()
  else go('/boards/' + id)
}

/**
 * The board whose turn it is.
 * @param {string[]} boards
 * @param {number} every ms
 */
function useTurns(boards, every) {
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    if (boards.length < 2) return undefined
    const timer = setInterval(() => setTurn((t) => (t + 1) % boards.length), every)
    return () => clearInterval(timer)
  }, [boards.join(), every])
  return boards[turn % boards.length]
}

/** Whether someone has just moved the mouse, touched the screen or pressed a key. */
function useMoving() {
  const [moving, setMoving] = useState(false)
  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer
    const moved = () => {
      setMoving(true)
      clearTimeout(timer)
      timer = setTimeout(() => setMoving(false), idle)
    }
    const kinds = ['pointermove', 'pointerdown', 'keydown']
    kinds.forEach((kind) => addEventListener(kind, moved))
    return () => {
      clearTimeout(timer)
      kinds.forEach((kind) => removeEventListener(kind, moved))
    }
  }, [])
  return moving
}

/** Keeps the screen on while the page is seen. A browser that has been asked away from the page forgets it. */
function keepAwake() {
  let over = false
  /** @type {WakeLockSentinel | undefined} */
  let lock
  const ask = async () => {
    if (document.hidden || over || !navigator.wakeLock) return
    try {
      lock = await navigator.wakeLock.request('screen')
      if (over) await lock.release()
    } catch {
      // Battery saving, or a browser that does not allow it: the board is shown all the same.
    }
  }
  void ask()
  document.addEventListener('visibilitychange', ask)
  return () => {
    over = true
    document.removeEventListener('visibilitychange', ask)
    void lock?.release()
  }
}

function fullScreen() {
  if (document.fullscreenElement) void document.exitFullscreen()
  else document.documentElement.requestFullscreen().catch(() => {})
}

/** How old what is shown is, when that is worth saying. */
function Age() {
  const at = now.value
  const { state, since } = connection.value
  const newest = lastArrival.value
  const away = state === 'reconnecting' && at - since > shortest
  const quiet = newest > 0 && at - newest > old
  if (!away && !quiet) return null
  const asOf = newest ? time(newest, at - newest > 72_000_000 ? 'moment' : 'second', zoneName()) : ''
  return html`<p class="age" role="status">${away ? text.boards.away(duration(at - since)) : ''} ${asOf && text.boards.asOf(asOf, duration(at - newest))}</p>`
}
