import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coveredName, curlLine, snippets } from '../js/parts/device/snippets.js'
import { parts } from '../js/pages/devices/watch.js'

const of = { origin: 'http://192.168.1.20:8000', key: 'tt_k7f2mq4zw3xb5aty_secret', device: 'Tür-7%x', metric: 'a;b=1' }
const wanted = { readings: [{ device: of.device, values: { [of.metric]: 21.5 } }] }

test('snippets: each has the server, the key and the device in it', () => {
  for (const { id, text } of snippets(of)) {
    assert(text.includes(of.origin), id)
    assert(text.includes(of.key), id)
    assert(text.includes(id === 'esp32' ? 'Tür-7%%x' : of.device), id)
  }
})

test('snippets: curl is one line whose body is JSON', () => {
  const line = curlLine(of)
  assert(!line.includes('\n'))
  assert.deepEqual(JSON.parse(/-d '(.*)'$/.exec(line)?.[1] ?? ''), wanted)
})

test('snippets: the body of the sketch fits, and is JSON once it is printed', () => {
  const sketch = snippets(of).find(({ id }) => id === 'esp32')?.text ?? ''
  const [, room, format] = /char body\[(\d+)\];\s+snprintf\(body, sizeof body, (".*"), /.exec(sketch) ?? []
  const printed = JSON.parse(format).replace('%.2f', '21.50').replaceAll('%%', '%')
  assert(new TextEncoder().encode(printed).length + 16 < Number(room))
  assert.deepEqual(JSON.parse(printed), wanted)
})

test('snippets: what Home Assistant sends is JSON once its template is filled in', () => {
  const yaml = snippets(of).find(({ id }) => id === 'home-assistant')?.text ?? ''
  const payload = /payload: '(.*)'/.exec(yaml)?.[1].replace('{{ states("sensor.temperature") }}', '21.5') ?? ''
  assert.deepEqual(JSON.parse(payload), wanted)
  assert.match(yaml, /\n {2}telltale_t_r_7_x:\n/)
})

test('first visit: the name suggested is one that the session covers', () => {
  assert.equal(coveredName(null), 'my-device')
  assert.equal(coveredName([]), 'my-device')
  assert.equal(coveredName(['lab-*', 'x']), 'lab-1')
  assert.equal(coveredName(['room-[a-f]?']), 'room-a1')
})

test('watch: rows are asked for by addresses that proxies take', () => {
  const ids = Array.from({ length: 60 }, (_, i) => String(i).padStart(128, 'é'))
  const asked = parts(ids, ['temperature'])
  assert.deepEqual(
    asked.flatMap(({ device }) => device),
    ids,
  )
  for (const part of asked)
    assert(new URLSearchParams(part.device.map((id) => ['device', id])).toString().length < 8000)
})
