import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hub } from '../../js/live/hub.js'

/**
 * A hub whose streams are in the hands of the test, and a tab of it.
 */
function rig() {
  /** @type {{body: any, signal: AbortSignal, take: (events: any[]) => void, end: () => void}[]} */
  const streams = []
  const hub = new Hub(
    (body, signal, take) =>
      new Promise((end) => {
        signal.addEventListener('abort', () => end(0))
        streams.push({ body, signal, take, end: () => end(0) })
      }),
  )
  /** @type {any[]} */
  const said = []
  const tab = { say: (/** @type {any} */ one) => said.push(one) }
  hub.hear(tab, { kind: 'join' })
  return { hub, tab, streams, said }
}

/** @param {() => unknown} condition */
async function until(condition) {
  while (!condition()) await new Promise((done) => setTimeout(done, 5))
}

const reading = (/** @type {string} */ id) => ({
  kind: 'reading',
  id,
  data: { device: 'a', ts: '2026-11-01T08:00:00Z', values: { temperature: 1 } },
})

test('hub: after a sign-out no stream is open, and the next begins where that one was', async () => {
  const { hub, tab, streams } = rig()
  hub.hear(tab, { kind: 'follow', id: 1, follow: { devices: ['a'], since: 100 } })
  await until(() => streams.length === 1)
  assert.deepEqual(streams[0].body, { device: ['a'], since: '100' })
  streams[0].take([reading('200:3')])
  hub.hear(tab, { kind: 'rest' })
  assert(streams[0].signal.aborted)
  await new Promise((done) => setTimeout(done))
  assert.equal(hub.state, 'idle', 'the end of a stream that was given up is no reason to reconnect')
  hub.hear(tab, { kind: 'renew' })
  await until(() => streams.length === 2)
  assert.deepEqual(streams[1].body, { device: ['a'], last_event_id: '200:3' })
  hub.hear(tab, { kind: 'rest' })
  hub.hear(tab, { kind: 'leave' })
  clearTimeout(hub.shrinking)
})

test('hub: a tab that is not known is told so', () => {
  const { hub, said } = rig()
  const other = { say: (/** @type {any} */ one) => said.push(one) }
  hub.hear(other, { kind: 'rest' })
  assert.deepEqual(said.at(-1), { kind: 'lost' })
})
