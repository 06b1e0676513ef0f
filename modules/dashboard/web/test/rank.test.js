import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rank } from '../js/core/rank.js'

const item = (/** @type {string} */ name, detail = '', kind = 'device') => ({
  key: name + detail,
  kind,
  name,
  detail,
  words: `${name} ${detail}`.toLowerCase(),
})
const names = (/** @type {any[]} */ items) => items.map(({ name }) => name)

test('rank: the name itself, then its beginning, a word of it, a part of it, what stands beside', () => {
  const items = [item('x', 'the pump'), item('spump'), item('main pump'), item('pump-7'), item('pump'), item('valve')]
  assert.deepEqual(names(rank(items, 'Pump', 9)), ['pump', 'pump-7', 'main pump', 'spump', 'x'])
})

test('rank: each word has to occur, in whatever order', () => {
  const items = [item('temperature', 'greenhouse-7'), item('temperature', 'cellar'), item('humidity', 'greenhouse-7')]
  assert.deepEqual(rank(items, 'green temp', 9), [items[0]])
  assert.deepEqual(rank(items, 'temp green attic', 9), [])
})

test('rank: what is equally good stays in its order, and no more than asked for are returned', () => {
  const items = [item('a1'), item('a2'), item('a3')]
  assert.deepEqual(names(rank(items, 'a', 2)), ['a1', 'a2'])
  assert.deepEqual(rank(items, '  ', 2), [])
})

test('rank: ten thousand names within a frame', () => {
  const items = Array.from({ length: 10_000 }, (_, i) => item('temperature', `greenhouse-${i}`))
  const begin = performance.now()
  assert.equal(rank(items, 'greenhouse-99 temp', 12).length, 12)
  assert(performance.now() - begin < 100, 'and a slow machine needs some')
})
