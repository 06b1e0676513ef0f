// Users: who can sign in, what they may do, and which devices they see.

import { html, useState } from 'preact'
import { api } from '../core/api.js'
import { time } from '../core/format.js'
import { zone, zoneName } from '../core/prefs.js'
import { can, session } from '../core/session.js'
import { CoverList, ScopeList } from '../parts/access.js'
import { Confirm } from '../parts/confirm.js'
import { useLoad } from '../parts/load.js'
import { allPages } from '../parts/pages.js'
import { Empty, Failure, Loading } from '../parts/states.js'
import { text } from '../text/en.js'
import { UserForm, userPath } from './access/userform.js'

/** @typedef {import('./access/userform.js').User} User */

export function Users() {
  if (!can('admin')) return html`<h1>${text.users.title}</h1><${Empty} title=${text.users.forbidden} />`
  return html`<${AllUsers} />`
}

function AllUsers() {
  const list = useLoad((signal) => allPages('/api/auth/users', 'users', {}, signal), [])
  const [open, setOpen] = useState(/** @type {{kind: string, user?: User}} */ ({ kind: '' }))
  const close = () => setOpen({ kind: '' })
  const t = text.users
  const { user } = open
  return html`<div class="head"><h1>${t.title}</h1><button onClick=${() => setOpen({ kind: 'form' })}>${t.add}</button></div>
    ${list.error && html`<${Failure} error=${list.error} since=${list.since} retry=${list.reload} />`}
    ${!list.data && !list.error && html`<${Loading} />`}
    ${list.data && !list.data.length && html`<${Empty} title=${t.empty} />`}
    ${
      list.data &&
      list.data.length > 0 &&
      html`<table class="records"><thead><tr><th scope="col">${t.username}</th><th scope="col">${text.access.may}</th><th scope="col">${text.access.devices}</th>
        <th scope="col">${t.changed}</th><th><span class="visually-hidden">${t.actions}</span></th></tr></thead>
      <tbody>${list.data.map((one) => html`<${UserRow} key=${one.username} user=${one} onOpen=${(/** @type {string} */ kind) => setOpen({ kind, user: one })} />`)}</tbody></table>`
    }
    ${open.kind === 'form' && html`<${UserForm} user=${user} onClose=${close} onSaved=${list.reload} />`}
    ${
      open.kind === 'delete' &&
      user &&
      html`<${Confirm} title=${t.removeTitle(user.username)} submit=${t.remove} type=${user.username} label=${text.deleteDevice.type(user.username)}
      onClose=${close} act=${async () => (await api.remove(userPath(user.username)), list.reload())}>${t.removeHint}<//>`
    }`
}

/** @param {{user: User, onOpen: (kind: string) => void}} props */
function UserRow({ user, onOpen }) {
  const at = zone.value && zoneName()
  const t = text.users
  const self = user.username === session.value.subject
  return html`<tr class=${user.disabled ? 'over' : ''}>
    <th scope="row"><strong>${user.username}</strong>${self && html`<small>${t.you}</small>`}${user.disabled && html`<small>${t.disabled}</small>`}</th>
    <td data-label=${text.access.may}><${ScopeList} value=${user.scopes} /></td>
    <td data-label=${text.access.devices}><${CoverList} value=${user.devices} /></td>
    <td data-label=${t.changed} title=${time(Date.parse(user.updated_at), 'moment', at)}>${time(Date.parse(user.updated_at), 'date', at)}</td>
    <td class="act"><button aria-label=${t.edit(user.username)} onClick=${() => onOpen('form')}>${text.action.edit}</button>
      ${!self && html`<button class="danger" aria-label=${t.removeTitle(user.username)} onClick=${() => onOpen('delete')}>${text.action.remove}</button>`}</td>
  </tr>`
}
