import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filterOf, matching, serverQuery, stateOf, tagsOf, topMetrics } from '../js/pages/devices/filter.js'
import { moved } from '../js/parts/list.js'

const device = (/** @type {string} */ id, /** @type {Record<string, any>} */ more = {}) => ({
  id,
  name: '',
  metadata: {},
  tags: /** @type {string[]} */ ([]),
  retention_days: null,
  created_at: '2026-11-01T08:00:00Z',
  updated_at: '2026-11-01T08:00:00Z',
  last_seen_at: /** @type {string | null} */ (null),
  online: false,
  metrics: [],
  ...more,
})
const metric = (/** @type {string} */ name, /** @type {number | null} */ last_ts) => ({
  name,
  unit: '',
  last_ts,
  last_value: 1,
})
const found = (/** @type {any[]} */ list, /** @type {string} */ query) =>
  matching(list, filterOf(new URLSearchParams(query))).map(({ id }) => id)

test('filter: each word has to be in name, id or a tag, in any case and order', () => {
  const list = [
    device('pump-1', { name: 'Pumpe Süd', tags: ['harbour'] }),
    device('pump-2', { tags: ['north'] }),
    device('x'),
  ]
  assert.deepEqual(found(list, ''), ['pump-1', 'pump-2', 'x'])
  assert.deepEqual(found(list, 'q=PUMP'), ['pump-1', 'pump-2'])
  assert.deepEqual(found(list, 'q=süd+pump-1'), ['pump-1'])
  assert.deepEqual(found(list, 'q=pump+%23nor'), ['pump-2'])
  assert.deepEqual(found(list, 'q=pump+%23pump'), [])
})

test('filter: tags add up, and are whole', () => {
  const list = [device('a', { tags: ['one', 'two'] }), device('b', { tags: ['one'] }), device('c', { tags: ['ones'] })]
  assert.deepEqual(found(list, 'tag=one'), ['a', 'b'])
  assert.deepEqual(found(list, 'tag=one&tag=two'), ['a'])
  assert.deepEqual(tagsOf(list), [
    ['one', 2],
    ['ones', 1],
    ['two', 1],
  ])
})

test('filter: a state that is none is all', () => {
  assert.equal(filterOf(new URLSearchParams('state=silent')).state, 'silent')
  assert.equal(filterOf(new URLSearchParams('state=broken')).state, '')
})

test('filter: the server is asked for the longest word, and for offline where it cannot tell silent from never', () => {
  assert.deepEqual(serverQuery({ text: 'a #tag longer', tags: ['t'], state: 'never' }), {
    search: 'longer',
    tag: ['t'],
    status: 'offline',
  })
  assert.deepEqual(serverQuery({ text: '', tags: [], state: 'online' }), {
    search: undefined,
    tag: [],
    status: 'online',
  })
})

test('state: as the server said, until readings arrive; one that is followed becomes silent by itself', () => {
  const at = Date.parse('2026-11-02T12:00:00Z')
  assert.equal(stateOf(device('a')), 'never')
  assert.equal(stateOf(device('a'), at), 'online')
  const seen = device('a', { last_seen_at: '2026-11-02T11:59:00Z', online: true })
  assert.equal(stateOf(seen), 'online')
  assert.equal(stateOf(seen, 0, at), 'online')
  assert.equal(stateOf(seen, 0, at + 300_000), 'silent')
  assert.equal(stateOf(seen, at, at + 300_000), 'online')
  assert.equal(stateOf({ ...seen, online: false }), 'silent')
})

test('metrics: those read most recently stand for a device, in order of name', () => {
  const hour = 3_600_000
  const metrics = [metric('z', 10 * hour), metric('b', 10 * hour - 5000), metric('a', hour), metric('never', null)]
  assert.deepEqual(
    topMetrics(metrics, 3).map(({ name }) => name),
    ['b', 'z', 'a'],
  )
  assert.deepEqual(topMetrics([], 3), [])
})

test('list: keys move within it', () => {
  assert.equal(moved('ArrowDown', 0, 3, 10), 1)
  assert.equal(moved('ArrowDown', 2, 3, 10), 2)
  assert.equal(moved('PageUp', 25, 30, 10), 15)
  assert.equal(moved('End', 0, 30, 10), 29)
  assert.equal(moved('Home', 9, 30, 10), 0)
  assert.equal(moved('x', 9, 30, 10), -1)
  assert.equal(moved('ArrowDown', 0, 0, 10), -1)
})
