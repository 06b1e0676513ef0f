// When a chart is drawn again: in its turn among the charts of the page, those on the screen before the others.

import { computed, effect, useEffect, useMemo, useSignal } from 'preact'
import { inTurn, outOfTurn } from '../core/turns.js'

/**
 * @typedef {object} Turn
 * @property {number} loads the history's when the chart was drawn
 * @property {number} revision the same; off the screen a chart is not drawn for it
 */

/**
 * What a chart has to draw: a component that reads it is drawn in its turn after an answer has come and, on the screen, after live readings.
 * @param {import('./history.js').History} history
 * @param {import('preact').Signal<boolean>} seen
 * @returns {import('preact').Signal<Turn>}
 */
export function useTurn({ loads, revision }, seen) {
  const turn = useSignal({ loads: loads.peek(), revision: 0 })
  useEffect(() => {
    const stop = effect(() => {
      const before = turn.peek()
      const now = { loads: loads.value, revision: seen.value ? revision.value : before.revision }
      if (now.loads !== before.loads || now.revision !== before.revision)
        inTurn(turn, () => (turn.value = now), seen.value)
    })
    return () => {
      stop()
      outOfTurn(turn)
    }
  }, [loads])
  return turn
}

/**
 * Whether a chart waits for an answer, for its turn, or for its lines.
 * @param {import('./history.js').History} history
 * @param {import('preact').Signal<Turn>} turn
 * @param {import('preact').Signal<boolean>} undrawn whether lines that are on the screen have yet to be drawn
 * @returns {import('preact').ReadonlySignal<boolean>}
 */
export function useBusy({ loading, loads }, turn, undrawn) {
  return useMemo(() => computed(() => loading.value || turn.value.loads !== loads.value || undrawn.value), [loads])
}
