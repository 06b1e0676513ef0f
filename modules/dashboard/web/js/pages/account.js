// One's own account: who one is, how the page looks, the password.

import { html, useState } from 'preact'
import { api, ApiError, passwordPath } from '../core/api.js'
import { now } from '../core/clock.js'
import { duration, time } from '../core/format.js'
import { theme, zone, zoneName } from '../core/prefs.js'
import { session, sessionOver, signOut } from '../core/session.js'
import { CoverList, ScopeList } from '../parts/access.js'
import { Field, useForm } from '../parts/form.js'
import { text } from '../text/en.js'

export function Account() {
  const { subject, scopes, devices, expiresAt } = session.value
  const t = text.account
  const left = expiresAt === Infinity ? t.endless : t.renewed(duration(expiresAt - now.value))
  return html`<div class="head"><h1>${t.title}</h1><button onClick=${() => signOut()}>${text.shell.signOut}</button></div>
    <div class="account">
      <section><h2>${t.who}</h2><dl>
        <dt>${text.users.username}</dt><dd>${subject}</dd>
        <dt>${text.access.may}</dt><dd><${ScopeList} value=${scopes} /></dd>
        <dt>${text.access.devices}</dt><dd><${CoverList} value=${devices} /></dd>
        <dt>${t.session}</dt><dd>${left}</dd></dl></section>
      <section><h2>${t.looks}</h2><${Looks} /></section>
      <section><h2>${t.password}</h2><${Password} /></section>
    </div>`
}

function Looks() {
  const t = text.account
  const themes = Object.entries(text.shell.themes)
  return html`<form>
    <fieldset class="themes"><legend>${text.shell.theme}</legend>
      ${themes.map(
        ([
          value,
          name,
        ]) => html`<label key=${value} class="check"><input type="radio" name="theme" value=${value} checked=${theme.value === value}
        onChange=${() => (theme.value = value)} /> ${name}</label>`,
      )}</fieldset>
    <label class="field"><small>${text.shell.zone}</small>
      <select value=${zone.value} onChange=${(/** @type {Event} */ e) => (zone.value = /** @type {HTMLSelectElement} */ (e.target).value)}>
        <option value="local">${text.shell.zoneLocal}</option><option value="UTC">${t.utc}</option>
        ${regions().map(([region, zones]) => html`<optgroup key=${region} label=${region}>${zones.map((name) => html`<option key=${name} value=${name}>${name.replaceAll('_', ' ')}</option>`)}</optgroup>`)}
      </select></label>
    <p class="soft">${t.now(time(now.value, 'moment', zone.value && zoneName()))} ${t.here}</p>
  </form>`
}

/** @type {[string, string[]][] | null} */
let known = null

/** @returns {[string, string[]][]} the time zones that the browser knows, by region */
function regions() {
  if (known) return known
  /** @type {Map<string, string[]>} */
  const found = new Map()
  for (const name of Intl.supportedValuesOf('timeZone')) {
    const region = name.split('/')[0]
    if (name !== 'UTC') found.set(region, [...(found.get(region) ?? []), name])
  }
  return (known = [...found])
}

function Password() {
  const [unlike, setUnlike] = useState(false)
  const form = useForm(async (data) => {
    const password = String(data.get('new'))
    setUnlike(password !== data.get('again'))
    if (password !== data.get('again')) return
    await api.post(passwordPath, { current_password: data.get('current'), new_password: password })
    sessionOver() // with the old password
  })
  const t = text.account
  const wrong = form.failed instanceof ApiError && form.failed.status === 401
  const rest = wrong ? '' : form.rest('current_password', 'new_password')
  return html`<form onSubmit=${form.onSubmit}>
    <input class="visually-hidden" name="username" autocomplete="username" value=${session.value.subject} tabindex="-1" aria-hidden="true" readonly />
    <${Field} label=${t.current} error=${wrong ? t.wrong : form.errorOf('current_password')} name="current" type="password" autocomplete="current-password" required />
    <${Field} label=${t.next} hint=${text.users.passwordHint} error=${form.errorOf('new_password')} name="new" type="password" autocomplete="new-password" minlength="8" maxlength="128" required />
    <${Field} label=${t.again} error=${unlike ? t.unlike : ''} name="again" type="password" autocomplete="new-password" required />
    ${rest && html`<p class="error" role="alert">${rest}</p>`}
    <button class="primary" disabled=${form.busy}>${t.change}</button>
    <p class="soft">${t.after}</p>
  </form>`
}
