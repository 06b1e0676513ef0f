// What a user or key may do and which devices it covers: shown, and chosen.

import { html, useState } from 'preact'
import { can, session } from '../core/session.js'
import { text } from '../text/en.js'
import { Field } from './form.js'

/** All scopes, in the order of the API's documentation. */
export const scopes = ['devices:read', 'devices:write', 'readings:read', 'readings:write', 'readings:delete', 'admin']

/**
 * Checkboxes for the scopes that the person has.
 * @param {{value?: string[], error?: string}} props
 */
export function ScopeBoxes({ value = [], error }) {
  const names = /** @type {Record<string, string>} */ (text.access.scopes)
  const shown = scopes.filter((scope) => can(scope) || value.includes(scope))
  return html`<fieldset class="boxes"><legend>${text.access.may}</legend>
    ${shown.map(
      (
        scope,
      ) => html`<label key=${scope} class="check"><input type="checkbox" name="scope" value=${scope} defaultChecked=${value.includes(scope)} />
      <span>${names[scope]}</span> <small>${scope}</small></label>`,
    )}
    ${error && html`<small class="error" role="alert">${error}</small>`}
  </fieldset>`
}

/**
 * All devices, or those of some patterns. A person who is limited can only give of what is covered.
 * @param {{value?: string[] | null, error?: string}} props
 */
export function DevicePatterns({ value = session.value.devices, error }) {
  const own = session.value.devices
  const [all, setAll] = useState(value === null)
  return html`<fieldset><legend>${text.access.devices}</legend>
    ${own === null && html`<label class="check"><input type="checkbox" name="all" checked=${all} onChange=${() => setAll(!all)} /> ${text.access.all}</label>`}
    ${
      (!all || own !== null) &&
      html`<${Field} label=${text.access.patterns} name="devices" error=${error} required spellcheck=${false} autocapitalize="none"
      value=${(value ?? []).join(' ')} hint=${own ? text.access.patternsOf(own) : text.access.patternsHint} />`
    }
  </fieldset>`
}

/**
 * @param {FormData} data of a form with both
 * @returns {{scopes: string[], devices: string[] | null}}
 */
export function accessOf(data) {
  const patterns = String(data.get('devices') ?? '').split(/[\s,]+/)
  return { scopes: data.getAll('scope').map(String), devices: data.has('all') ? null : patterns.filter(Boolean) }
}

/**
 * The scopes of a user or key, in words.
 * @param {{value: string[]}} props
 */
export function ScopeList({ value }) {
  const names = /** @type {Record<string, string>} */ (text.access.short)
  return html`<span class="scopes">${value.map((scope) => html`<span key=${scope} class=${scope === 'admin' ? 'scope admin' : 'scope'} title=${scope}>${names[scope] ?? scope}</span>`)}
    ${value.length === 0 && text.access.nothing}</span>`
}

/**
 * The devices that a user or key covers, in words.
 * @param {{value: string[] | null}} props
 */
export function CoverList({ value }) {
  if (value === null) return text.access.all
  if (!value.length) return text.access.none
  const shown = value.slice(0, 3).join(', ')
  return html`<span class="patterns" title=${value.join('\n')}>${shown}${value.length > 3 && text.access.others(value.length - 3)}</span>`
}
