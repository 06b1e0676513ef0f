import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { amount, amountText } from '../../js/pages/operations/amount.js'
import { grouped, kindOf } from '../../js/pages/operations/groups.js'
import { newer } from '../../js/pages/operations/report.js'
import { level, nearest, paths, scaleOf, spanOf } from '../../js/pages/operations/shape.js'
import { newest, stateOf } from '../../js/pages/operations/state.js'

const figure = (
  /** @type {string} */ name,
  /** @type {(number | null)[]} */ values,
  limit = /** @type {any} */ (null),
) => ({
  name,
  unit: 'connections',
  limit,
  setting: 'DB_MAX_CONNECTIONS',
  values,
})
const report = (/** @type {number[]} */ times, started = 'a', name = 'pool_in_use') => ({
  version: '1.2.3',
  started_at: started,
  uptime_seconds: 1,
  step_seconds: 10,
  settings: [],
  times,
  figures: [
    figure(
      name,
      times.map((ts) => ts / 1000),
    ),
  ],
})

const { fetch } = globalThis
afterEach(() => void (globalThis.fetch = fetch))

/**
 * Has the server answer each request in turn, and returns the addresses that are asked for.
 * @param {any[]} answers
 */
function serve(...answers) {
  /** @type {string[]} */
  const asked = []
  globalThis.fetch = async (path) => {
    asked.push(String(path))
    return new Response(JSON.stringify(answers.shift()))
  }
  return asked
}

test('report: only what is newer is asked for, and joined', async () => {
  const asked = serve(report([1000, 2000]), report([3000]), report([]))
  const first = await newer(null)
  const second = await newer(first)
  assert.deepEqual(second.times, [1000, 2000, 3000])
  assert.deepEqual(second.figures[0].values, [1, 2, 3])
  assert.deepEqual((await newer(second)).times, [1000, 2000, 3000])
  assert.deepEqual(asked, ['/api/operations', '/api/operations?since=2000', '/api/operations?since=3000'])
})

test('report: what is older than an hour goes', async () => {
  serve(report([3_600_000, 3_605_000]))
  const joined = await newer(report([0, 5000, 10_000]))
  assert.deepEqual(joined.times, [10_000, 3_600_000, 3_605_000])
  assert.deepEqual(joined.figures[0].values, [10, 3600, 3605])
})

test('report: after a restart or a change of figures all is asked for', async () => {
  for (const other of [report([9000], 'b'), report([9000], 'a', 'pool_idle')]) {
    const asked = serve(other, { ...other, times: [8000, 9000] })
    assert.deepEqual((await newer(report([1000]))).times, [8000, 9000])
    assert.deepEqual(asked, ['/api/operations?since=1000', '/api/operations'])
  }
})

test('groups: each figure is in one, also one that the page does not know', () => {
  const groups = grouped([
    figure('tea_drunk', []),
    figure('cpu', []),
    figure('pool_idle', []),
    figure('pool_in_use', []),
  ])
  const names = groups.map(({ name, figures }) => [name, ...figures.map((f) => f.name)])
  assert.deepEqual(names, [
    ['pool', 'pool_in_use', 'pool_idle'],
    ['process', 'cpu'],
    ['other', 'tea_drunk'],
  ])
  assert.equal(kindOf('tea_drunk'), 'none')
})

test('state: a figure is near its limit for most of a minute, or at it', () => {
  assert.equal(stateOf(figure('pool_in_use', [20, 20, 1, 2, 3, 2, 1, 2], 20)), '')
  assert.equal(stateOf(figure('pool_in_use', [1, 17, 16, 15, 16, 17, 16], 20)), 'near')
  assert.equal(stateOf(figure('pool_in_use', [1, 2, 20], 20)), 'reached')
  assert.equal(stateOf(figure('pool_in_use', [1, 19, null], 20)), '')
  assert.equal(stateOf(figure('commit_time', [19, null, null], 20)), 'near')
  assert.equal(stateOf(figure('pool_in_use', [null], 20)), '')
  assert.equal(stateOf(figure('pool_in_use', [20])), '')
})

test('state: what is usually full is as it should be, and what fails is not', () => {
  assert.equal(stateOf(figure('window_bytes', [20], 20)), '')
  assert.equal(stateOf(figure('unfolded_readings', [20], 20)), '')
  assert.equal(stateOf(figure('pool_waits', [0, 0.3, 0])), '')
  assert.equal(stateOf(figure('pool_waits', [0, 9, 4])), 'fault')
  assert.equal(stateOf(figure('http_failures', [0.1, 0, 0, 0, 0])), 'fault')
  assert.equal(stateOf(figure('http_failures', [1, 0, 0, 0, 0, 0, 0])), '')
})

test('newest: the last value that there is', () => {
  assert.deepEqual(newest([1, 2, null]), { value: 2, at: 1 })
  assert.deepEqual(newest([null]), { value: null, at: -1 })
  assert.deepEqual(newest([]), { value: null, at: -1 })
})

test('scale: it holds the limit unless that would leave no shape', () => {
  assert.equal(scaleOf([1, 2], 20, 'capacity').limit, 'inside')
  assert(scaleOf([1, 2], 20, 'capacity').high > 20)
  assert(scaleOf([30], 20, 'capacity').high > 30)
  assert.equal(scaleOf([0], 20, 'capacity').limit, 'inside')
  assert.equal(scaleOf([], 20, 'capacity').limit, 'inside')
  const above = scaleOf([1, 12], 60_000, 'timeout')
  assert.equal(above.limit, 'above')
  assert.equal(scaleOf([1, 2], 20, 'timeout').limit, 'above')
  assert.equal(scaleOf([1, 6], 20, 'timeout').limit, 'inside')
  assert(above.high > 12 && above.high < 60)
  assert.deepEqual(scaleOf([0, null, 0], null, 'capacity'), { low: 0, high: 1, limit: 'none' })
})

test('scale: of what grows it shows the change, and noise as a line', () => {
  const grown = scaleOf([1000, 1100], null, 'growth')
  assert(grown.low > 900 && grown.low < 1000 && grown.high > 1100 && grown.high < 1200)
  const still = scaleOf([1e9, 1e9 + 1], null, 'growth')
  assert(still.high - still.low > 1e6)
  assert(level(1e9 + 1, still) - level(1e9, still) < 0.001)
  assert.equal(scaleOf([], null, 'growth').low, 0)
})

test('span: the hour, or the little that a new program has', () => {
  assert.deepEqual(spanOf([1_000_000, 5_000_000]), { from: 1_400_000, to: 5_000_000 })
  assert.deepEqual(spanOf([1_000_000, 1_010_000]), { from: 890_000, to: 1_010_000 })
  assert.equal(spanOf([]).to, 0)
})

test('paths: a line is open where nothing was measured for long, and a value alone is a point', () => {
  const scale = { low: 0, high: 100, limit: /** @type {const} */ ('none') }
  const draw = (/** @type {number[]} */ times, /** @type {(number | null)[]} */ values) =>
    paths(times, values, { from: 0, to: 100 }, scale, 10)
  assert.deepEqual(draw([0, 10, 20], [100, null, 50]), {
    line: 'M0.0 0.0L200.0 50.0',
    area: 'M0.0 100L0.0 0.0L200.0 50.0L200.0 100Z',
    dots: '',
  })
  const apart = draw([0, 10, 100], [0, 0, 25])
  assert.equal(apart.line, 'M0.0 100.0L100.0 100.0')
  assert.equal(apart.dots, 'M1000.0 75.0h0')
  assert.deepEqual(draw([], []), { line: '', area: '', dots: '' })
  assert.deepEqual(draw([10], [null]), { line: '', area: '', dots: '' })
})

test('nearest: of two samples, before the first and after the last', () => {
  const times = [10, 20, 30]
  assert.deepEqual(
    [0, 14, 16, 30, 99].map((ts) => nearest(times, ts)),
    [0, 0, 1, 2, 2],
  )
  assert.equal(nearest([], 5), -1)
})

test('amount: digits that say something, and units in words', () => {
  const said = (/** @type {number | null} */ value, /** @type {string} */ unit) =>
    amountText(value, unit).replaceAll(/\s/gu, ' ')
  assert.equal(said(1, 'connections'), '1 connection')
  assert.equal(said(14, 'connections'), '14 connections')
  assert.equal(said(0.123456, 'queries/s'), '0.123 queries/s')
  assert.equal(said(315_570.4, 'readings/s'), '315 570 readings/s')
  assert.equal(said(4.4912, 'ms'), '4.49 ms')
  assert.equal(said(1234, 'ms'), '1.23 s')
  assert.equal(said(60_000, 'ms'), '1 min')
  assert.equal(said(1.9123, 'bytes'), '1.91 B')
  assert.equal(said(64 * 1024 * 1024, 'bytes'), '64 MiB')
  assert.equal(said(1.5 * 1024, 'bytes'), '1.5 KiB')
  assert.equal(said(null, 'bytes'), '–')
  assert.deepEqual(amount(2, 'cups'), { figure: '2', unit: 'cups' })
})
