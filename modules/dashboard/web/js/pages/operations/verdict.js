// Where to look first: the figures that are near their limit or say that something fails, or that there are none.

import { html } from 'preact'
import { text } from '../../text/en.js'
import { amountText } from './amount.js'
import { idOf, Mark, wordsOf } from './figure.js'
import { newest, recent, stateOf } from './state.js'

/** @typedef {import('./report.js').Figure} Figure */
/** @typedef {import('./report.js').Setting} Setting */

/** @param {{figures: Figure[], settings: Setting[]}} props */
export function Verdict({ figures, settings }) {
  const t = text.operations
  const worth = figures.filter((figure) => stateOf(figure))
  if (!worth.length) return html`<p class="verdict good"><i aria-hidden="true"></i>${t.good}</p>`
  return html`<ul class="verdict">${worth.map((figure) => html`<${Line} key=${figure.name} figure=${figure} setting=${settings.find(({ name }) => name === figure.setting)} />`)}</ul>`
}

/** @param {{figure: Figure, setting?: Setting}} props */
function Line({ figure, setting }) {
  const { name, unit, limit, values } = figure
  const t = text.operations
  const state = stateOf(figure)
  const value = amountText(state === 'reached' ? newest(values).value : recent(values), unit)
  const said = limit === null ? t.recently(value) : t.ofLimit(value, amountText(limit, unit))
  return html`<li><${Mark} name=${name} state=${state} /> <button class="link" onClick=${() => show(name)}>${wordsOf(name).title}</button>
    <span>${said}</span>${setting && html`<span class="soft">${t.changes} <code>${setting.name}</code>${setting.value && t.now(setting.value)}</span>`}</li>`
}

/** @param {string} name of the figure to go to */
function show(name) {
  const element = document.getElementById(idOf(name))
  element?.scrollIntoView({ block: 'center' })
  element?.focus({ preventScroll: true })
}
