// One figure: what it is, its newest value, its hour, and the variable that changes it.

import { html } from 'preact'
import { time } from '../../core/format.js'
import { zone, zoneName } from '../../core/prefs.js'
import { Copy } from '../../parts/copy.js'
import { text } from '../../text/en.js'
import { amount, amountText } from './amount.js'
import { extent, nearest } from './shape.js'
import { newest, stateOf } from './state.js'
import { Trend } from './trend.js'

/** @typedef {import('./report.js').Figure} FigureData */
/** @typedef {import('./report.js').Setting} Setting */

/**
 * What a figure is called, and what it says.
 * @param {string} name of the API
 */
export function wordsOf(name) {
  const known = /** @type {Record<string, string[]>} */ (text.operations.figures)
  const [title, about = ''] = known[name] ?? [name.replaceAll('_', ' ')]
  return { title, about }
}

/** The id of a figure's element. */
export const idOf = (/** @type {string} */ name) => `figure-${name}`

/**
 * @param {{figure: FigureData, setting?: Setting, times: number[], step: number, cursor: import('./trend.js').Cursor}} props step is
 *   in ms
 */
export function Figure({ figure, setting, times, step, cursor }) {
  const { name } = figure
  const { title, about } = wordsOf(name)
  const state = stateOf(figure)
  return html`<li id=${idOf(name)} class=${`figure ${state}`} tabindex="-1">
    <header><h3>${title}</h3>${state && html`<${Mark} name=${name} state=${state} />`}</header>
    <p class="soft">${about}</p>
    <${Reading} figure=${figure} times=${times} cursor=${cursor} />
    <${Trend} figure=${figure} times=${times} step=${step} cursor=${cursor} />
    <footer>${setting && html`<${Variable} setting=${setting} />`}</footer>
  </li>`
}

/**
 * A variable as it stands in an environment, to copy.
 * @param {{setting: Setting}} props
 */
function Variable({ setting: { name, value, meaning } }) {
  const line = value ? `${name}=${value}` : name
  return html`<${Copy} value=${line} label=${html`<code>${line}</code>`} title=${text.operations.copy(line, meaning)} />`
}

/**
 * A figure's state as shape and words.
 * @param {{name: string, state: import('./state.js').State}} props
 */
export function Mark({ name, state }) {
  const words = /** @type {Record<string, string>} */ (text.operations.states)
  const said = (state === 'fault' && words[name]) || words[state]
  return html`<span class=${`mark-of ${state}`}><i aria-hidden="true"></i>${said}</span>`
}

/**
 * The value at the cursor, or the newest there is.
 * @param {{figure: FigureData, times: number[], cursor: import('./trend.js').Cursor}} props
 */
function Reading({ figure, times, cursor }) {
  const { unit, values } = figure
  const pointed = cursor.value === null ? -1 : nearest(times, cursor.value)
  const last = newest(values)
  const at = pointed < 0 ? last.at : pointed
  const old = pointed < 0 && at < times.length - 1
  const shown = amount(at < 0 ? null : values[at], unit)
  const when = at < 0 ? '' : time(times[at], 'second', zone.value && zoneName())
  const t = text.operations
  const beside = at < 0 ? t.nothing : old ? t.lastAt(when) : pointed < 0 ? spread(values, unit) : when
  return html`<p class=${old ? 'reading old' : 'reading'}><output>${shown.figure}</output> <span>${shown.unit}</span>
    <small>${beside}</small></p>`
}

/**
 * The least and the greatest value of the hour; their unit stands beside the newest one unless it is another.
 * @param {(number | null)[]} values
 * @param {string} unit
 */
function spread(values, unit) {
  const { least, greatest } = extent(values)
  if (amountText(least, unit) === amountText(greatest, unit)) return ''
  const [from, to] = [amount(least, unit), amount(greatest, unit)]
  const mixed = unit === 'bytes' || unit === 'ms'
  const begin = from.unit === to.unit || !mixed ? from.figure : amountText(least, unit)
  return text.operations.between(begin, mixed ? amountText(greatest, unit) : to.figure)
}
