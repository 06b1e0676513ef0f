// Adding a user, and changing what one may do.

import { html, useState } from 'preact'
import { api } from '../../core/api.js'
import { accessOf, DevicePatterns, ScopeBoxes } from '../../parts/access.js'
import { Dialog } from '../../parts/dialog.js'
import { Field, useForm } from '../../parts/form.js'
import { text } from '../../text/en.js'

/**
 * @typedef {object} User
 * @property {string} username
 * @property {string[]} scopes
 * @property {string[] | null} devices
 * @property {boolean} disabled
 * @property {string} created_at
 * @property {string} updated_at
 */

const fields = ['username', 'password', 'scopes', 'devices']

/** @param {{user?: User, onClose: () => void, onSaved: () => void}} props without a user it adds one */
export function UserForm({ user, onClose, onSaved }) {
  const [none, setNone] = useState(false)
  const form = useForm(async (data) => {
    const access = accessOf(data)
    setNone(!access.scopes.length)
    if (!access.scopes.length) return
    const password = String(data.get('password'))
    if (user) {
      const changes = { ...access, disabled: data.has('disabled'), ...(password && { password }) }
      await api.patch(userPath(user.username), changes)
    } else await api.post('/api/auth/users', { username: String(data.get('username')).trim(), password, ...access })
    onSaved()
    onClose()
  })
  const t = text.users
  return html`<${Dialog} title=${user ? t.edit(user.username) : t.add} onClose=${onClose}>
    <form onSubmit=${form.onSubmit} autocomplete="off">
      ${
        !user &&
        html`<${Field} label=${t.username} hint=${t.usernameHint} error=${form.errorOf('username')} name="username" required maxlength="64"
        pattern="[A-Za-z0-9][A-Za-z0-9._@+\\-]*" autocomplete="off" autocapitalize="none" spellcheck=${false} autofocus />`
      }
      <${Field} label=${user ? t.newPassword : t.password} hint=${user ? t.passwordKeep : t.passwordHint} error=${form.errorOf('password')}
        name="password" type="password" minlength="8" maxlength="128" required=${!user} autocomplete="new-password" />
      <${ScopeBoxes} value=${user?.scopes ?? ['devices:read', 'readings:read']} error=${none ? text.access.choose : form.errorOf('scopes')} />
      <${DevicePatterns} value=${user ? user.devices : undefined} error=${form.errorOf('devices')} />
      ${user && html`<label class="check"><input type="checkbox" name="disabled" defaultChecked=${user.disabled} /> ${t.disable}</label>`}
      ${form.rest(...fields) && html`<p class="error" role="alert">${form.rest(...fields)}</p>`}
      <div class="actions"><button class="primary" disabled=${form.busy}>${user ? text.action.save : t.add}</button>
        <button type="button" onClick=${onClose}>${text.action.cancel}</button></div>
    </form><//>`
}

/**
 * The API's path of a user.
 * @param {string} username
 */
export function userPath(username) {
  return '/api/auth/users/' + encodeURIComponent(username)
}
