import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changesOf, mergePatch, parseMetadata, parseTags } from '../js/parts/device/draft.js'

const device = {
  id: 'a',
  name: 'A',
  metadata: { site: 'north', place: { floor: 1, room: 2 } },
  tags: ['one', 'two'],
  retention_days: null,
  created_at: '',
  updated_at: '',
  last_seen_at: null,
  online: false,
  metrics: [{ name: 'temperature', unit: '°C', last_ts: null, last_value: null }],
}
const draft = {
  name: 'A',
  tags: ['two', 'one'],
  retention_days: null,
  metadata: { site: 'north', place: { room: 2, floor: 1 } },
  units: { temperature: '°C' },
}

test('draft: what is as it was is no change', () => assert.deepEqual(changesOf(device, draft), {}))

test('draft: changes are what a merge patch says', () => {
  const changed = {
    ...draft,
    name: '',
    tags: ['one'],
    retention_days: 0,
    metadata: { place: { floor: 2, room: 2 }, list: [1] },
    units: { temperature: '', humidity: '%' },
  }
  assert.deepEqual(changesOf(device, changed), {
    name: '',
    tags: ['one'],
    retention_days: 0,
    metadata: { site: null, place: { floor: 2 }, list: [1] },
    units: { temperature: null, humidity: '%' },
  })
})

test('draft: lists are replaced, and an object takes the place of what is none', () => {
  assert.deepEqual(mergePatch({ a: [1, 2], b: 1 }, { a: [2], b: { c: 1 } }), { a: [2], b: { c: 1 } })
})

test('draft: tags are apart by spaces or commas, once each', () => {
  assert.deepEqual(parseTags(' #one, two  one\nthree'), ['one', 'two', 'three'])
  assert.deepEqual(parseTags(''), [])
})

test('draft: metadata is a JSON object or nothing', () => {
  assert.deepEqual(parseMetadata(' '), {})
  assert.deepEqual(parseMetadata('{"a":1}'), { a: 1 })
  for (const wrong of ['[1]', '1', 'null', '{a:1}']) assert.equal(parseMetadata(wrong), null)
})
