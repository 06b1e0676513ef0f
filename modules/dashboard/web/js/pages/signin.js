// Signing in, and where to go then.

import { html, useState } from 'preact'
import { ApiError } from '../core/api.js'
import { session, signIn } from '../core/session.js'
import { Field, useForm } from '../parts/form.js'
import { text } from '../text/en.js'

/** The form. What was asked for stays in the address bar, and is shown once a person has signed in. */
export function SignIn() {
  const [shown, setShown] = useState(false)
  const form = useForm((data) => signIn(String(data.get('username')).trim(), String(data.get('password'))))
  const wrong = form.failed instanceof ApiError && form.failed.status === 401
  return html`<main class="sign-in"><form onSubmit=${form.onSubmit}>
    <h1><i class="mark" aria-hidden="true"></i>${text.product}</h1>
    ${session.value.expired && html`<p role="status">${text.signIn.expired}</p>`}
    <${Field} label=${text.signIn.username} name="username" autocomplete="username" autocapitalize="none" spellcheck=${false} required autofocus />
    <${Field} label=${text.signIn.password} name="password" type=${shown ? 'text' : 'password'} autocomplete="current-password" required />
    <label class="check"><input type="checkbox" checked=${shown} onChange=${() => setShown(!shown)} /> ${text.signIn.show}</label>
    ${form.failed && html`<p class="error" role="alert">${wrong ? text.signIn.wrong : form.rest()}</p>`}
    <button class="primary" disabled=${form.busy}>${text.signIn.submit}</button>
    <p class="soft">${text.signIn.first}</p>
  </form></main>`
}
