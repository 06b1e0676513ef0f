import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lengthOf, lengthText, parseRange, presets, rangeAt, rangeText } from '../../js/core/range.js'

const hour = 3_600_000
const day = 24 * hour
const now = Date.UTC(2026, 10, 27, 12, 30) // a Friday
const read = (/** @type {string} */ text, zone = 'UTC') => parseRange(text, now, zone)
const between = (/** @type {number} */ from, /** @type {number} */ to) => ({ from, to, last: 0 })

test('lengthOf reads lengths as people write them', () => {
  assert.equal(lengthOf('15m'), 15 * 60_000)
  assert.equal(lengthOf('24 h'), day)
  assert.equal(lengthOf('7 days'), 7 * day)
  assert.equal(lengthOf('1.5h'), 1.5 * hour)
  assert.equal(lengthOf('2 Weeks'), 14 * day)
  assert.equal(lengthOf('3 months'), 90 * day)
  assert.equal(lengthOf('1y'), 365 * day)
  for (const wrong of ['', '15', 'm', '15 parsecs', '-3h', '0h']) assert.equal(lengthOf(wrong), 0, wrong)
})

test('a range that ends now moves on with the clock', () => {
  for (const said of ['3h', 'last 3 hours', 'the last 3h', '-3h']) {
    assert.deepEqual(read(said), { from: now - 3 * hour, to: now, last: 3 * hour })
  }
  assert.deepEqual(read('last hour'), { from: now - hour, to: now, last: hour })
  const range = /** @type {import('../../js/core/range.js').Range} */ (read('3h'))
  assert.deepEqual(rangeAt(range, now + 5), { from: now + 5 - 3 * hour, to: now + 5, last: 3 * hour })
})

test('words name days and weeks of the zone', () => {
  assert.deepEqual(read('today'), between(Date.UTC(2026, 10, 27), Date.UTC(2026, 10, 28)))
  assert.deepEqual(read('Yesterday'), between(Date.UTC(2026, 10, 26), Date.UTC(2026, 10, 27)))
  assert.deepEqual(read('this week'), between(Date.UTC(2026, 10, 23), Date.UTC(2026, 10, 30)))
  assert.deepEqual(read('this month'), between(Date.UTC(2026, 10, 1), Date.UTC(2026, 11, 1)))
  assert.deepEqual(read('today', 'Europe/Berlin'), between(Date.UTC(2026, 10, 26, 23), Date.UTC(2026, 10, 27, 23)))
})

test('two times, of which a date alone is a whole day', () => {
  assert.deepEqual(read('2026-11-01 to 2026-11-05 12:00'), between(Date.UTC(2026, 10, 1), Date.UTC(2026, 10, 5, 12)))
  assert.deepEqual(read('2026-11-01 to 2026-11-01'), between(Date.UTC(2026, 10, 1), Date.UTC(2026, 10, 2)))
  assert.deepEqual(read('1790000000000..1790003600000'), between(1_790_000_000_000, 1_790_003_600_000))
  assert.deepEqual(read('2 h ago to now'), between(now - 2 * hour, now))
  assert.deepEqual(
    read('2026-10-25 to 2026-10-25', 'Europe/Berlin'), // the day has 25 hours
    between(Date.UTC(2026, 9, 24, 22), Date.UTC(2026, 9, 25, 23)),
  )
})

test('what cannot be read is no range', () => {
  for (const wrong of ['', 'soon', '2026-13-01 to 2026-14-01', '2026-11-05 to 2026-11-01', 'now to 1 h ago', '<b>']) {
    assert.equal(read(wrong), null, wrong)
  }
})

test('the text of a range is read as that range', () => {
  for (const preset of presets) {
    const range = /** @type {import('../../js/core/range.js').Range} */ (read(preset))
    assert.equal(rangeText(range), preset)
  }
  const fixed = between(1_790_000_000_000, 1_790_003_600_000)
  assert.deepEqual(read(rangeText(fixed)), fixed)
  assert.equal(lengthText(90_000), '90s')
})
