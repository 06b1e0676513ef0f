// Forms: fields with labels, what the server says of them, one submission at a time.

import { html, useId, useState } from 'preact'
import { ApiError } from '../core/api.js'
import { reason } from './states.js'

/**
 * A labelled input. Further attributes are the input's own.
 * @param {{label: string, hint?: string, error?: string, children?: any, [attribute: string]: any}} props children stand in place of
 *   the input
 */
export function Field({ label, hint, error, children, ...attributes }) {
  const id = useId()
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined
  return html`<div class=${error ? 'field wrong' : 'field'}>
    <label for=${id}>${label}</label>
    ${children ?? html`<input id=${id} aria-invalid=${Boolean(error)} aria-describedby=${described} ...${attributes} />`}
    ${hint && html`<small id=${`${id}-hint`}>${hint}</small>`}
    ${error && html`<small id=${`${id}-error`} class="error" role="alert">${error}</small>`}
  </div>`
}

/**
 * Runs a submission: busy while it does, and what went wrong, by field and for the rest.
 * @param {(form: FormData) => Promise<void>} submit
 */
export function useForm(submit) {
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState(/** @type {Error | null} */ (null))
  const onSubmit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setFailed(null)
    try {
      await submit(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)))
    } catch (error) {
      setFailed(/** @type {Error} */ (error))
    }
    setBusy(false)
  }
  const errors = failed instanceof ApiError ? failed.errors : []
  return {
    onSubmit,
    busy,
    failed,
    /** What the server says of a field. */
    errorOf: (/** @type {string} */ field) => errors.find((e) => e.field === field)?.reason,
    /** What no field of the form says, '' when there is nothing. */
    rest: (/** @type {string[]} */ ...fields) =>
      failed && !(errors.length && errors.every((e) => fields.includes(e.field))) ? reason(failed) : '',
  }
}
