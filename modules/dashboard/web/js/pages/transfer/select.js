// A labelled choice.

import { html, useId } from 'preact'

/**
 * @param {{label: string, name: string, value: string, choose: (value: any) => void, options: {value: string, name: string}[],
 *   hint?: string}} props
 */
export function Select({ label, name, value, choose, options, hint }) {
  const id = useId()
  return html`<div class="field"><label for=${id}>${label}</label>
    <select id=${id} name=${name} value=${value} onChange=${(/** @type {any} */ e) => choose(e.target.value)}>
      ${options.map((one) => html`<option key=${one.value} value=${one.value} selected=${one.value === value}>${one.name}</option>`)}</select>
    ${hint && html`<small>${hint}</small>`}</div>`
}
