// What a person prefers on this device: theme and time zone. Kept by the browser.

import { computed, signal, effect } from 'preact'

/**
 * @template T
 * @param {string} name
 * @param {T} otherwise
 * @param {(value: unknown) => boolean} valid
 * @returns {import('preact').Signal<T>}
 */
function kept(name, otherwise, valid) {
  const key = 'telltale.' + name
  const value = signal(otherwise)
  try {
    const found = JSON.parse(localStorage.getItem(key) ?? 'null')
    if (valid(found)) value.value = found
  } catch {
    // What another version wrote, or no storage: the default.
  }
  effect(() => {
    try {
      localStorage.setItem(key, JSON.stringify(value.value))
    } catch {
      // No storage: it lasts as long as the page.
    }
  })
  return value
}

const themes = ['system', 'light', 'dark']

/** The colours: 'system', 'light' or 'dark'. */
export const theme = kept('theme', 'system', (v) => themes.includes(/** @type {string} */ (v)))

const system = signal(false)
if ('matchMedia' in globalThis) {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  system.value = dark.matches
  dark.addEventListener('change', () => (system.value = dark.matches))
}

/** 'light' or 'dark', as the page has it now: what is drawn by colours of the style sheet is drawn once more when it changes. */
export const scheme = computed(() => (theme.value === 'system' ? (system.value ? 'dark' : 'light') : theme.value))

/** The zone of times: 'local', or an IANA name such as 'UTC'. */
export const zone = kept('zone', 'local', (v) => typeof v === 'string' && isZone(v))

/** The zone of the device that is shown, '' for none: it is offered beside those of the viewer. */
export const deviceZone = signal('')

/** The zone's IANA name. */
export function zoneName() {
  return zone.value === 'local' ? local() : zone.value
}

const travel = 60_000 // ms that a machine's zone is believed for: to ask takes long, and every chart does
let here = { zone: '', until: 0 }

function local() {
  const now = performance.now()
  if (now >= here.until) here = { zone: Intl.DateTimeFormat().resolvedOptions().timeZone, until: now + travel }
  return here.zone
}

/**
 * Whether times can be written in that zone.
 * @param {string} name
 */
export function isZone(name) {
  if (name === 'local') return true
  try {
    Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** Puts the scheme on the document. Call it once. */
export function applyTheme() {
  effect(() => {
    document.documentElement.dataset.theme = scheme.value
  })
}
