// API keys: which there are, making and revoking them.

import { html, useMemo, useState } from 'preact'
import { api } from '../core/api.js'
import { now } from '../core/clock.js'
import { ago, time } from '../core/format.js'
import { zone, zoneName } from '../core/prefs.js'
import { route, setQuery } from '../core/route.js'
import { can } from '../core/session.js'
import { CoverList, ScopeList } from '../parts/access.js'
import { Confirm } from '../parts/confirm.js'
import { useLoad } from '../parts/load.js'
import { allPages } from '../parts/pages.js'
import { Empty, Failure, Loading } from '../parts/states.js'
import { text } from '../text/en.js'
import { NewKey } from './access/newkey.js'

/**
 * @typedef {object} Key
 * @property {string} id
 * @property {string} name
 * @property {string[]} scopes
 * @property {string[] | null} devices
 * @property {string} created_by
 * @property {string} created_at
 * @property {string | null} expires_at
 * @property {string | null} revoked_at
 * @property {string | null} [last_used_at] absent where the server does not tell
 */

export function Keys() {
  if (!can('admin'))
    return html`<h1>${text.keys.title}</h1><${Empty} title=${text.keys.forbidden}><a class="button" href="/account">${text.keys.account}</a><//>`
  return html`<${AllKeys} />`
}

function AllKeys() {
  const revoked = route.value.query.has('revoked')
  const said = route.value.query.get('q') ?? ''
  const list = useLoad((signal) => allPages('/api/auth/keys', 'keys', { revoked }, signal), [revoked])
  const [making, setMaking] = useState(false)
  const [ending, setEnding] = useState(/** @type {Key | null} */ (null))
  const keys = useMemo(() => foundKeys(list.data ?? [], said), [list.data, said])
  const find = (/** @type {Event} */ e) =>
    setQuery({ q: /** @type {HTMLInputElement} */ (e.target).value }, { replace: true })
  return html`<div class="head"><h1>${text.keys.title}</h1><button onClick=${() => setMaking(true)}>${text.keys.make}</button></div>
    <div class="filters">
      <input type="search" aria-label=${text.keys.find} placeholder=${text.keys.find} value=${said} onInput=${find} />
      <label class="check"><input type="checkbox" checked=${revoked} onChange=${() => setQuery({ revoked: revoked ? '' : '1' })} /> ${text.keys.withRevoked}</label>
    </div>
    ${list.error && html`<${Failure} error=${list.error} since=${list.since} retry=${list.reload} />`}
    ${!list.data && !list.error && html`<${Loading} />`}
    ${list.data && !keys.length && html`<${Empty} title=${list.data.length ? text.keys.noMatch : text.keys.empty} />`}
    ${keys.length > 0 && html`<${KeyTable} keys=${keys} onRevoke=${setEnding} />`}
    ${making && html`<${NewKey} onClose=${() => setMaking(false)} onMade=${list.reload} />`}
    ${
      ending &&
      html`<${Confirm} title=${text.keys.revokeTitle(ending.name)} submit=${text.keys.revoke} onClose=${() => setEnding(null)}
      act=${async () => (await api.remove('/api/auth/keys/' + ending.id), list.reload())}>${text.keys.revokeHint}<//>`
    }`
}

/**
 * @param {Key[]} keys
 * @param {string} said
 */
export function foundKeys(keys, said) {
  const words = said.toLowerCase().split(/\s+/).filter(Boolean)
  const newest = [...keys].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))
  return newest.filter((key) => {
    const of = [key.name, key.id, key.created_by, ...(key.devices ?? []), ...key.scopes].join('\n').toLowerCase()
    return words.every((word) => of.includes(word))
  })
}

/** @param {{keys: Key[], onRevoke: (key: Key) => void}} props */
function KeyTable({ keys, onRevoke }) {
  const used = keys.some((key) => key.last_used_at !== undefined)
  const t = text.keys
  return html`<table class="records"><thead><tr><th scope="col">${t.name}</th><th scope="col">${text.access.may}</th><th scope="col">${text.access.devices}</th>
      ${used && html`<th scope="col">${t.lastUse}</th>`}<th scope="col">${t.made}</th><th scope="col">${t.ends}</th><th><span class="visually-hidden">${t.revoke}</span></th></tr></thead>
    <tbody>${keys.map((key) => html`<${KeyRow} key=${key.id} one=${key} used=${used} onRevoke=${onRevoke} />`)}</tbody></table>`
}

/** @param {{one: Key, used: boolean, onRevoke: (key: Key) => void}} props */
function KeyRow({ one, used, onRevoke }) {
  const at = zone.value && zoneName()
  const today = Math.ceil(now.value / 10_000) * 10_000
  const t = text.keys
  const since = (/** @type {string | null | undefined} */ ts) => (ts ? ago(Date.parse(ts), today, at) : t.never)
  const over = one.revoked_at || (one.expires_at && Date.parse(one.expires_at) < today)
  const ends = one.revoked_at
    ? t.revokedAt(since(one.revoked_at))
    : one.expires_at
      ? time(Date.parse(one.expires_at), 'date', at)
      : t.never
  return html`<tr class=${over ? 'over' : ''}>
    <th scope="row"><strong>${one.name}</strong><small>${one.id}</small></th>
    <td data-label=${text.access.may}><${ScopeList} value=${one.scopes} /></td>
    <td data-label=${text.access.devices}><${CoverList} value=${one.devices} /></td>
    ${used && html`<td data-label=${t.lastUse}>${since(one.last_used_at)}</td>`}
    <td data-label=${t.made} title=${time(Date.parse(one.created_at), 'moment', at)}>${t.madeBy(since(one.created_at), one.created_by)}</td>
    <td data-label=${t.ends}>${over && !one.revoked_at ? t.expired(ends) : ends}</td>
    <td class="act">${!over && html`<button class="danger" aria-label=${t.revokeOne(one.name)} onClick=${() => onRevoke(one)}>${t.revoke}</button>`}</td>
  </tr>`
}
