import assert from 'node:assert/strict'
import { test } from 'node:test'
import { converterOf, inMillis, instantOf, unitOf } from '../../js/pages/transfer/file/units.js'

const convert = (/** @type {Parameters<typeof converterOf>} */ of, /** @type {string} */ text) =>
  new TextDecoder().decode(converterOf(...of)?.(new TextEncoder().encode(text)))

test('unitOf guesses the unit of a count', () => {
  const units = {
    1793534400: 's',
    1793534400000: 'ms',
    1793534400000000: 'us',
    1793534400000000000: 'ns',
    5: '',
    1793534400.5: 's',
  }
  for (const [count, unit] of Object.entries(units)) assert.equal(unitOf(count), unit, count)
  for (const none of ['', '2026-11-01T12:00:00Z', '-5', '1e9']) assert.equal(unitOf(none), '', none)
  assert.equal(instantOf('1793534400', 's'), 1793534400000)
  assert.equal(instantOf('1793534400000000000', 'ns'), 1793534400000)
  assert.equal(instantOf('2026-11-01T12:00:00Z', ''), 1793534400000)
})

test('inMillis writes a count in milliseconds, digit by digit', () => {
  assert.equal(inMillis('1793534400', 's'), '1793534400000')
  assert.equal(inMillis('1793534400.5', 's'), '1793534400500')
  assert.equal(inMillis('1793534400.123456', 's'), '1793534400123')
  assert.equal(inMillis('1793534400123456789', 'ns'), '1793534400123')
  assert.equal(inMillis('1793534400123456', 'us'), '1793534400123')
  assert.equal(inMillis('7', 'us'), '0')
  assert.equal(inMillis('0', 's'), '0')
  assert.equal(inMillis('1793534400000', 'ms'), '1793534400000')
  for (const none of ['', 'now', '2026-11-01T12:00:00Z', '-5']) assert.equal(inMillis(none, 's'), none)
})

test('converterOf changes the time of a record and nothing else', () => {
  assert.equal(convert(['csv', 's', 1], 'ä,1793534400,5'), 'ä,1793534400000,5')
  assert.equal(convert(['csv', 's', 2], 'a,5, 1793534400 '), 'a,5,1793534400000')
  assert.equal(convert(['csv', 's', 0], '1793534400,a,5'), '1793534400000,a,5')
  for (const kept of ['a', 'a,2026-11-01T12:00:00Z,1', 'a,"1793534400",1', '"a,b",1793534400,1', ''])
    assert.equal(convert(['csv', 's', 1], kept), kept)
  assert.equal(
    convert(['ndjson', 's', -1], '{"device":"a","ts": 1793534400,"values":{"m":1793534400}}'),
    '{"device":"a","ts": 1793534400000,"values":{"m":1793534400}}',
  )
  assert.equal(converterOf('csv', 'ms', 1), null)
  assert.equal(converterOf('csv', 's', -1), null)
  assert.equal(converterOf('lines', 's', -1), null)
})
