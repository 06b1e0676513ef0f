// The first visit of a new installation: what to do next, and the first reading as it comes.

import { html, useEffect, useState } from 'preact'
import { api } from '../../core/api.js'
import { quantity } from '../../core/format.js'
import { devicePath } from '../../core/route.js'
import { can, session } from '../../core/session.js'
import { follow } from '../../live/live.js'
import { Copy } from '../../parts/copy.js'
import { AddDevice } from '../../parts/device/menu.js'
import { makeKey } from '../../parts/device/key.js'
import { coveredName, curlLine } from '../../parts/device/snippets.js'
import { loadDevices } from '../../parts/device/store.js'
import { Field, useForm } from '../../parts/form.js'
import { text } from '../../text/en.js'

/** Shown in place of the list while there is no device. */
export function FirstVisit() {
  const first = useFirstReading()
  if (first) return html`<${Arrived} reading=${first} />`
  if (!can('admin')) {
    return html`<section class="first"><h1>${text.first.none}</h1>
      <p>${session.value.devices ? text.first.covers(session.value.devices) : text.first.ask}</p>
      <p class="waiting" role="status">${text.first.waiting}</p></section>`
  }
  return html`<section class="first"><h1>${text.first.title}</h1>
    <ol>
      <li><h2>${text.first.send}</h2><${FirstKey} /><p class="waiting" role="status">${text.first.waiting}</p></li>
      <li><h2>${text.first.demo}</h2><p class="soft">${text.first.demoHint}</p><${Copy} block value="telltale demo" /></li>
      <li><h2>${text.first.add}</h2><p class="soft">${text.first.addHint}</p><${AddDevice} /></li>
    </ol>
  </section>`
}

function FirstKey() {
  const [line, setLine] = useState('')
  const form = useForm(async (data) => {
    const device = String(data.get('device')).trim()
    const scopes = ['readings:write', 'devices:write'] // the reading makes the device
    const { key } = await makeKey({ name: device, scopes, devices: [device] })
    setLine(curlLine({ origin: location.origin, key, device }))
  })
  if (line) return html`<p>${text.first.run}</p><${Copy} block value=${line} /><small>${text.first.once}</small>`
  return html`<p class="soft">${text.first.sendHint}</p><form onSubmit=${form.onSubmit}>
    <${Field} label=${text.first.device} name="device" required maxlength="128" value=${coveredName(session.value.devices)}
      pattern=${'[^\\s\\/\\\\*?\\[\\],"\']+'} title=${text.deviceForm.idHint} spellcheck=${false} autocapitalize="none" />
    ${form.failed && html`<p class="error" role="alert">${form.rest()}</p>`}
    <button class="primary" disabled=${form.busy}>${text.first.make}</button></form>`
}

/** @param {{reading: import('../../live/hub.js').Reading}} props */
function Arrived({ reading }) {
  const [[metric, value]] = Object.entries(reading.values)
  return html`<section class="first arrived" role="status"><h1>${text.first.arrived}</h1>
    <p class="soft">${text.first.from(reading.device, metric)}</p>
    <p class="value">${quantity(value, '')}</p>
    <div class="actions"><a class="button primary" href=${devicePath(reading.device)}>${text.first.open(reading.device)}</a>
      <button onClick=${loadDevices}>${text.first.list}</button></div></section>`
}

/** The first reading that arrives while this is shown, null before. */
function useFirstReading() {
  const [first, setFirst] = useState(/** @type {import('../../live/hub.js').Reading | null} */ (null))
  useEffect(() => {
    if (!can('readings:read')) return undefined
    let stop = () => {}
    let over = false
    let again = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined)
    const begin = async () => {
      try {
        const { seq } = await api.get('/api/readings', { from: '-1s' })
        if (over) return
        stop = follow(null, seq, {
          onReadings: ([reading]) => setFirst((before) => before ?? reading),
          onGap: () => {},
        })
      } catch {
        if (!over) again = setTimeout(begin, 3000)
      }
    }
    void begin()
    return () => {
      over = true
      clearTimeout(again)
      stop()
    }
  }, [])
  return first
}
