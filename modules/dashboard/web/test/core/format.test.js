import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ago, bytes, decimalsOf, duration, number, quantity, time } from '../../js/core/format.js'

test('decimalsOf learns how exact a metric is', () => {
  assert.equal(decimalsOf([1, 2, 30]), 0)
  assert.equal(decimalsOf([21.5, null, 20.25]), 2)
  assert.equal(decimalsOf([-0.001]), 3)
  assert.equal(decimalsOf([1e-9]), 6)
  assert.equal(decimalsOf([1e21, NaN, Infinity]), 0)
  assert.equal(decimalsOf([]), 0)
})

test('number writes digits, thousands, minus and nothing', () => {
  assert.equal(number(21.5), '21.5')
  assert.equal(number(21, 2), '21.00')
  assert.equal(number(1234), '1234')
  assert.equal(number(12345.678, 1), '12\u2009345.7')
  assert.equal(number(1e9), '1\u2009000\u2009000\u2009000')
  assert.equal(number(-3), '\u22123')
  assert.equal(number(-0.001, 1), '0.0')
  for (const nothing of [null, undefined, NaN, Infinity]) assert.equal(number(nothing), '–')
})

test('number writes the very large and the very small with a power of ten', () => {
  assert.equal(number(1.5e15), '1.5\u2009×\u200910¹⁵')
  assert.equal(number(-2e-9), '\u22122\u2009×\u200910⁻⁹')
  assert.equal(number(0), '0')
})

test('quantity sets the unit apart, but for % and °', () => {
  assert.equal(quantity(21.5, '°C'), '21.5\u202f°C')
  assert.equal(quantity(60, '%'), '60%')
  assert.equal(quantity(60, ''), '60')
  assert.equal(quantity(null, '°C'), '–')
})

test('bytes and duration take the unit that fits', () => {
  assert.equal(bytes(512), '512\u202fB')
  assert.equal(bytes(1536), '1.5\u202fKiB')
  assert.equal(bytes(5 * 1024 ** 3), '5.0\u202fGiB')
  assert.equal(duration(0), '0 s')
  assert.equal(duration(59_400), '59 s')
  assert.equal(duration(90_000), '1 min 30 s')
  assert.equal(duration(12 * 60_000 + 9000), '12 min')
  assert.equal(duration(3 * 3_600_000 + 5 * 60_000), '3 h 5 min')
  assert.equal(duration(30 * 3_600_000), '1 d 6 h')
  assert.equal(duration(8 * 86_400_000 + 3_600_000), '8 d')
})

test('time is that of the zone', () => {
  const noon = Date.UTC(2026, 10, 27, 12, 0, 5)
  assert.equal(time(noon, 'second', 'UTC'), '12:00:05')
  assert.equal(time(noon, 'minute', 'Europe/Berlin'), '13:00')
  assert.equal(time(noon, 'date', 'UTC'), '27 Nov 2026')
  assert.equal(time(noon, 'date', 'Pacific/Kiritimati'), '28 Nov 2026')
})

test('ago is relative for an hour, then the clock, then the date', () => {
  const now = Date.UTC(2026, 10, 27, 12, 0, 0)
  assert.equal(ago(null, now, 'UTC'), '–')
  assert.equal(ago(now - 400, now, 'UTC'), 'now')
  assert.equal(ago(now - 2000, now, 'UTC'), '2 s ago')
  assert.equal(ago(now - 12.5 * 60_000, now, 'UTC'), '12 min ago')
  assert.equal(ago(now - 3 * 3_600_000, now, 'UTC'), '09:00')
  assert.match(ago(now - 26 * 3_600_000, now, 'UTC'), /^Thu 26.*10:00$/)
  assert.equal(ago(now - 40 * 86_400_000, now, 'UTC'), '18 Oct 2026')
})
