// How the list of devices is narrowed: text, state, tags. All of it stands in the URL.

import { html, useEffect, useRef } from 'preact'
import { setQuery } from '../../core/route.js'
import { text } from '../../text/en.js'

/** @typedef {import('./filter.js').Filter} Filter */

/** @type {['' | import('./filter.js').State, string][]} */
const states = [
  ['', text.devices.all],
  ['online', text.devices.states.online],
  ['silent', text.devices.states.silent],
  ['never', text.devices.states.never],
]

/**
 * @param {{filter: Filter, counts: Record<string, number>, tags: [string, number][], onDown: () => void}} props counts are by state,
 *   '' for all; onDown goes on to the list
 */
export function FilterBar({ filter, counts, tags, onDown }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null))
  const write = (/** @type {Event} */ event) =>
    setQuery({ q: /** @type {HTMLInputElement} */ (event.target).value }, { replace: true })
  useEffect(() => {
    if (input.current && input.current !== document.activeElement) input.current.value = filter.text
  }, [filter.text])
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'Enter') return
    event.preventDefault()
    onDown()
  }
  return html`<div class="filters" role="search">
    <input type="search" ref=${input} aria-label=${text.devices.find} placeholder=${text.devices.find} spellcheck=${false}
      autocomplete="off" onInput=${write} onKeyDown=${onKeyDown} />
    <div class="buttons" role="group" aria-label=${text.devices.state}>
      ${states.map(([state, name]) => html`<button key=${state} aria-pressed=${filter.state === state} onClick=${() => setQuery({ state })}>${name} <small>${counts[state] ?? 0}</small></button>`)}
    </div>
    <${Tags} filter=${filter} tags=${tags} />
  </div>`
}

/** @param {{filter: Filter, tags: [string, number][]}} props */
function Tags({ filter, tags }) {
  const choose = (/** @type {Event} */ event) => addTag(filter, /** @type {HTMLSelectElement} */ (event.target).value)
  const left = tags.filter(([tag]) => !filter.tags.includes(tag))
  const without = (/** @type {string} */ tag) => setQuery({ tag: filter.tags.filter((one) => one !== tag) })
  return html`<div class="buttons">
    ${filter.tags.map((tag) => html`<button key=${tag} class="tag on" aria-label=${text.devices.withoutTag(tag)} onClick=${() => without(tag)}>${tag} ✕</button>`)}
    ${
      left.length > 0 &&
      html`<select aria-label=${text.devices.tag} value="" onChange=${choose}>
      <option value="">${text.devices.tag}</option>
      ${left.map(([tag, n]) => html`<option key=${tag} value=${tag}>${`${tag} (${n})`}</option>`)}</select>`
    }
  </div>`
}

/**
 * Narrows the list to a tag, besides those that it is narrowed to.
 * @param {Filter} filter
 * @param {string} tag
 */
export function addTag(filter, tag) {
  if (tag && !filter.tags.includes(tag)) setQuery({ tag: [...filter.tags, tag] })
}
