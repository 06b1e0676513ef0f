import assert from 'node:assert/strict'
import { test } from 'node:test'
import { estimateOf } from '../../js/pages/transfer/export/estimate.js'
import {
  commandLine,
  curlLine,
  endsOf,
  exportAddress,
  fileName,
  readSelection,
} from '../../js/pages/transfer/export/request.js'

const origin = 'http://127.0.0.1:8000'
const hour = 3_600_000
const noon = Date.UTC(2026, 10, 1, 12)
const read = (/** @type {string} */ query) => readSelection(new URLSearchParams(query))

test('what is exported is read from the address of the page', () => {
  assert.deepEqual(read(''), { devices: [], metrics: [], format: 'csv', interval: '', aggregates: ['avg'] })
  assert.deepEqual(read('device=a&device=b&device=a&metric=t&format=ndjson&interval=1h&agg=max&agg=min&agg=max'), {
    devices: ['a', 'b'],
    metrics: ['t'],
    format: 'ndjson',
    interval: '1h',
    aggregates: ['min', 'max'],
  })
  assert.deepEqual(read('format=xml&interval=7h&agg=mode'), read(''))
})

test('the address of the API names what is chosen, with ends that move on where the range does', () => {
  assert.equal(
    exportAddress(read('device=a%20b&device=c*&metric=t'), { from: 0, to: 0, last: 24 * hour }, 'UTC'),
    '/api/readings?device=a+b&device=c*&metric=t&from=-24h&format=csv',
  )
  assert.equal(
    exportAddress(read('interval=1d&agg=avg&agg=p95&format=ndjson'), { from: 1.4, to: 9, last: 0 }, 'Europe/Berlin'),
    '/api/readings?from=1&to=9&interval=1d&agg=avg&agg=p95&tz=Europe%2FBerlin&format=ndjson',
  )
  assert.deepEqual(endsOf({ from: 0, to: 0, last: 365 * 24 * hour }), { from: '-365d' })
})

test('the file is named for what is in it', () => {
  const day = { from: noon, to: noon + hour, last: 0 }
  assert.equal(fileName(read('device=a'), day), 'a-2026-11-01.csv')
  assert.equal(fileName(read('device=greenhouse-*&format=ndjson'), day), 'greenhouse--2026-11-01.ndjson')
  assert.equal(
    fileName(read('device=a&device=b'), { ...day, to: noon + 24 * hour }),
    'readings-2026-11-01-2026-11-02.csv',
  )
  assert.equal(fileName(read(''), { from: noon, to: noon + 12 * hour, last: 0 }), 'readings-2026-11-01.csv')
})

test('commands are what a shell takes', () => {
  const range = { from: 1, to: 9, last: 0 }
  assert.equal(
    curlLine(origin, '/api/readings?device=c*&from=-1h', 'a.csv'),
    `curl --compressed -H "Authorization: Bearer $KEY" -o a.csv '${origin}/api/readings?device=c*&from=-1h'`,
  )
  assert.equal(
    commandLine(origin, read("device=c*&metric=it's"), range, 'a.csv'),
    `telltale export --url=${origin} '--device=c*' '--metric=it'\\''s' --from=1 --to=9 --format=csv -o a.csv.gz`,
  )
  assert.equal(
    commandLine(origin, read(''), { from: 0, to: 0, last: hour }, 'a.csv'),
    `telltale export --url=${origin} --from=-1h --format=csv -o a.csv.gz`,
  )
})

test('estimateOf counts rows, and bytes about as the server writes them', () => {
  const series = [
    {
      device: 'device',
      metric: 'metric',
      points: [
        [0, 600],
        [1, 400],
      ],
    },
    {
      device: 'd',
      metric: 'm',
      points: [
        [0, 10],
        [1, null],
      ],
    },
  ]
  assert.deepEqual(estimateOf(read(''), series, hour, true), { rows: 1010, bytes: 1000 * 46 + 10 * 36, more: true })
  const lines = estimateOf(read('format=ndjson'), series.slice(1), hour, false)
  assert.equal(lines.bytes / 10, '{"device":"d","metric":"m","ts":1793534400000,"value":21.500}\n'.length)
  assert.equal(estimateOf(read('interval=1m&agg=avg'), series, hour, false).rows, 61 + 10)
  assert.equal(estimateOf(read('interval=1mo'), series, hour, false).rows, 2 + 2)
  assert.deepEqual(estimateOf(read(''), [], hour, false), { rows: 0, bytes: 0, more: false })
})
