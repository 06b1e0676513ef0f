// The import of this tab. It goes on while the person looks at other pages.

import { effect, signal } from 'preact'
import { session } from '../../../core/session.js'
import { Run } from './run.js'

/** The import, null before there is one. */
export const current = signal(/** @type {Run | null} */ (null))

/**
 * @param {File} file
 * @param {import('./run.js').Options} options
 */
export function begin(file, options) {
  const run = new Run(file, options, session.peek().subject)
  current.value = run
  addEventListener('beforeunload', ask)
  void run.work().then(() => removeEventListener('beforeunload', ask))
}

/**
 * Has the browser ask whether to leave.
 * @param {Event} event
 */
function ask(event) {
  event.preventDefault()
}

// What one person has imported is none of another's business.
effect(() => {
  const { state, subject } = session.value
  const run = current.peek()
  if (state !== 'in' || !run || run.subject === subject) return
  run.stop()
  current.value = null
})
