// The bar of a page with charts: range buttons, a free range, steps.

import { html, useEffect, useState } from 'preact'
import { now, wall } from '../core/clock.js'
import { time } from '../core/format.js'
import { zone, zoneName } from '../core/prefs.js'
import { parseRange, presets } from '../core/range.js'
import { pressed } from '../chart/view.js'
import { text } from '../text/en.js'
import { onKey } from './keys.js'

/** @param {{view: import('../chart/view.js').View, children?: any}} props */
export function RangeBar({ view, children }) {
  const range = view.range.value
  useEffect(
    () =>
      onKey({
        '[': () => view.step(-0.5),
        ']': () => view.step(0.5),
        l: () => view.live(),
        '+': () => view.closer(),
        '-': () => view.wider(),
      }),
    [view],
  )
  const choose = (/** @type {string} */ preset) => {
    const chosen = parseRange(preset, wall(), zoneName())
    if (chosen) view.show(chosen)
  }
  return html`<div class="range" role="group" aria-label=${text.range.label}>
    <div class="buttons presets">
      ${presets.map((preset) => html`<button key=${preset} aria-pressed=${pressed(range) === preset} onClick=${() => choose(preset)}>${preset}</button>`)}
    </div>
    <${Pick} range=${range} choose=${choose} />
    <${FreeRange} view=${view} />
    <div class="buttons">
      <button title=${text.range.earlier} aria-label=${text.range.earlier} onClick=${() => view.step(-0.5)}>←</button>
      <button title=${text.range.later} aria-label=${text.range.later} disabled=${range.last > 0} onClick=${() => view.step(0.5)}>→</button>
      <button title=${text.range.back} aria-label=${text.range.back} onClick=${() => view.back()}>⟲</button>
      ${range.last === 0 && html`<button class="primary" onClick=${() => view.live()}>${text.range.live}</button>`}
    </div>
    <${Edges} range=${range} />
    ${children}
  </div>`
}

/**
 * The presets on a phone.
 * @param {{range: import('../core/range.js').Range, choose: (preset: string) => void}} props
 */
function Pick({ range, choose }) {
  const now = pressed(range)
  const others = presets.includes(now) ? presets : [now, ...presets]
  return html`<select class="presets-pick" aria-label=${text.range.label} value=${now}
    onChange=${(/** @type {Event} */ event) => choose(/** @type {HTMLSelectElement} */ (event.target).value)}>
    ${others.map((preset) => html`<option key=${preset} value=${preset}>${preset || text.range.fixed}</option>`)}</select>`
}

/** @param {{range: import('../core/range.js').Range}} props */
function Edges({ range }) {
  const shown = zone.value && zoneName()
  const from = range.last ? now.value - range.last : range.from
  const today = time(from, 'date', shown) === time(now.value, 'date', shown)
  const shape = (range.last || range.to - range.from) > 3 * 86_400_000 ? 'date' : today ? 'second' : 'moment'
  return html`<span class="edges">${text.range.until(time(from, shape, shown), range.last ? text.range.now : time(range.to, shape, shown))}</span>`
}

/** @param {{view: import('../chart/view.js').View}} props */
function FreeRange({ view }) {
  const [open, setOpen] = useState(false)
  const [wrong, setWrong] = useState(false)
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    const said = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get('range'))
    const range = parseRange(said, wall(), zoneName())
    setWrong(!range)
    if (!range) return
    view.show(range)
    setOpen(false)
  }
  if (!open)
    return html`<button aria-label=${text.range.custom} title=${text.range.custom} onClick=${() => setOpen(true)}>…</button>`
  return html`<form class="free" onSubmit=${submit} onKeyDown=${(/** @type {KeyboardEvent} */ e) => e.key === 'Escape' && setOpen(false)}>
    <input name="range" aria-label=${text.range.custom} placeholder=${text.range.prompt} aria-invalid=${wrong} ref=${focus} />
    <button class="primary">${text.range.show}</button>
    ${wrong && html`<small class="error" role="alert">${text.range.wrong}</small>`}
  </form>`
}

/** @param {HTMLElement | null} element */
function focus(element) {
  element?.focus()
}
