// What is around every page: pages, connection, time zone, colours, who is signed in.

import { html, useEffect, useState } from 'preact'
import { now } from '../core/clock.js'
import { ago, duration } from '../core/format.js'
import { deviceZone, isZone, theme, zone, zoneName } from '../core/prefs.js'
import { route } from '../core/route.js'
import { can, session, signOut, staying } from '../core/session.js'
import { connection, lastArrival } from '../live/live.js'
import { text } from '../text/en.js'
import { Help } from './help.js'
import { Icon } from './icon.js'
import { onKey } from './keys.js'
import { Search } from './search.js'
import { reason } from './states.js'

/**
 * The pages, as the bar has them. On a phone those that are main are at the bottom, the rest under "more". Of several
 * scopes, one is enough.
 * @type {{href: string, name: string, icon: any, main: boolean, scope: string}[]}
 */
const pages = [
  { href: '/devices', name: text.nav.devices, icon: 'devices', main: true, scope: 'devices:read' },
  { href: '/boards', name: text.nav.boards, icon: 'boards', main: true, scope: 'readings:read' },
  { href: '/compare', name: text.nav.compare, icon: 'compare', main: true, scope: 'readings:read' },
  { href: '/import', name: text.nav.transfer, icon: 'transfer', main: false, scope: 'readings:read readings:write' },
  { href: '/operations', name: text.nav.operations, icon: 'operations', main: false, scope: 'admin' },
  { href: '/users', name: text.nav.users, icon: 'users', main: false, scope: 'admin' },
  { href: '/keys', name: text.nav.keys, icon: 'keys', main: false, scope: '' },
  { href: '/account', name: text.nav.account, icon: 'account', main: false, scope: '' },
]

/** @param {{children?: any}} props */
export function Shell({ children }) {
  const [help, setHelp] = useState(false)
  useEffect(() => onKey({ '?': () => setHelp(true) }), [])
  const shown = pages.filter(({ scope }) => scope === '' || scope.split(' ').some(can))
  return html`<a class="skip" href="#content" onClick=${skip}>${text.nav.skip}</a>
    <div class="shell">
      <${Bar} shown=${shown} />
      <header class="top"><${Search} pages=${shown} /><${Connection} /><${Zone} /><${Theme} /><${Person} onHelp=${() => setHelp(true)} /></header>
      <main id="content" tabindex="-1">${children}</main>
    </div>
    ${help && html`<${Help} onClose=${() => setHelp(false)} />`}`
}

/** @param {MouseEvent} event */
function skip(event) {
  event.preventDefault()
  document.getElementById('content')?.focus()
}

/** @param {{shown: typeof pages}} props */
function Bar({ shown }) {
  const first = '/' + (route.value.parts[0] ?? 'devices')
  const link = (
    /** @type {typeof pages[0]} */ page,
  ) => html`<a key=${page.href} href=${page.href} class=${page.main ? 'main' : ''}
    aria-current=${first === page.href ? 'page' : undefined}><${Icon} name=${page.icon} /><span>${page.name}</span></a>`
  return html`<nav class="bar" aria-label=${text.nav.label}>
    <a class="brand" href="/devices"><i class="mark" aria-hidden="true"></i>${text.product}</a>
    ${shown.filter((p) => p.main).map(link)}
    <hr />
    ${shown.filter((p) => !p.main).map(link)}
    <details class="more"><summary><${Icon} name="more" /><span>${text.nav.more}</span></summary><div class="menu" onClick=${closeMenu}>${shown.filter((p) => !p.main).map(link)}</div></details>
  </nav>`
}

/** @param {MouseEvent} event */
function closeMenu(event) {
  const { currentTarget } = event
  if (event.target instanceof Element && event.target.closest('select, .theme')) return
  if (currentTarget instanceof Element) currentTarget.closest('details')?.removeAttribute('open')
}

function Connection() {
  const { state, since } = connection.value
  const at = now.value
  const detail =
    state === 'reconnecting'
      ? text.connection.since(duration(at - since))
      : lastArrival.value
        ? ago(lastArrival.value, Math.max(at, lastArrival.value), zoneName()) // the clock ticks once a second only
        : ''
  const title = state === 'reconnecting' ? text.connection.away : text.connection.last(detail)
  return html`<span class=${`connection ${state.replace(' ', '-')}`} title=${title}><i aria-hidden="true"></i>
    <span role="status">${text.connection[state]}</span>${detail && html`<small>${detail}</small>`}</span>`
}

function Zone() {
  const choices = [...new Set(['local', 'UTC', deviceZone.value || 'UTC', zone.value])]
  const name = (/** @type {string} */ z) =>
    z === 'local' ? `${text.shell.zoneLocal} (${offset()})` : z === deviceZone.value ? text.shell.zoneDevice(z) : z
  const choose = (/** @type {Event} */ event) => {
    const { value } = /** @type {HTMLSelectElement} */ (event.target)
    if (isZone(value)) zone.value = value
  }
  return html`<select class="zone" aria-label=${text.shell.zone} value=${zone.value} onChange=${choose}>
    ${choices.map((z) => html`<option key=${z} value=${z}>${name(z)}</option>`)}</select>`
}

function offset() {
  const minutes = -new Date().getTimezoneOffset()
  const rest = Math.abs(minutes) % 60
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(Math.abs(minutes) / 60)}${rest ? ':' + String(rest).padStart(2, '0') : ''}`
}

/** @param {{named?: boolean}} props named says which colours it is beside the sign */
function Theme({ named = false }) {
  const next = /** @type {Record<string, string>} */ ({ system: 'light', light: 'dark', dark: 'system' })
  const themes = /** @type {Record<string, string>} */ (text.shell.themes)
  const title = `${text.shell.theme}: ${themes[theme.value]}`
  return html`<button class="quiet theme" title=${title} aria-label=${title} onClick=${() => (theme.value = next[theme.value])}>◐${named && ` ${title}`}</button>`
}

/** @param {{onHelp: () => void}} props */
function Person({ onHelp }) {
  return html`<details class="person"><summary>${session.value.subject}</summary><div class="menu" onClick=${closeMenu}>
    <a href="/account">${text.nav.account}</a>
    <a href="/api/docs" target="_blank" rel="noopener">${text.nav.api}</a>
    <button onClick=${onHelp}>${text.shell.keys}</button>
    <div class="narrow"><${Zone} /><${Theme} named /></div>
    <button onClick=${() => signOut()}>${text.shell.signOut}</button>
  </div></details>${staying.value && html`<p class="error" role="alert">${reason(staying.value)} ${text.shell.stillIn}</p>`}`
}
