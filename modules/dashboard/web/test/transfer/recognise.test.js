import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cellsOf, deviceColumn, timeColumn } from '../../js/pages/transfer/file/cells.js'
import { databaseOf, isGzip, recognise } from '../../js/pages/transfer/file/recognise.js'
import { sampleOf } from '../../js/pages/transfer/file/sample.js'

const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text)

/** @type {[string, string | number[], string, string][]} */
const files = [
  ['a.csv', 'device,ts,m\na,1,2\n', 'csv', ''],
  ['a.txt', '\ufeffdevice,m\r\n', 'csv', ''],
  ['a.csv', '\n"Device_ID",Timestamp,m\n', 'csv', ''],
  ['a.csv', 'ts,m\n1,2\n', 'csv', 'device'],
  ['a.csv', 'device;ts;m\n', 'csv', 'separator'],
  ['a.tsv', 'ts\tdevice\tm\n', 'csv', 'separator'],
  ['a.ndjson', '{"device":"a","values":{"m":1}}\n', 'ndjson', ''],
  ['a.dat', '\n{"device":"a"}', 'ndjson', ''],
  ['a.json', '{"readings":[{"device":"a"}]}', '', 'json'],
  ['a.json', '{\n "readings": []}', '', 'json'],
  ['a.json', '[{"device":"a"}]', '', 'json'],
  ['a.lp', 'cpu,host=a usage=1 1793534400\n', 'lines', ''],
  ['a', '# DDL\nCREATE DATABASE home\n# DML\n', 'lines', ''],
  ['a', 'weather\\ now,place=ä\\ b t="x y",v=2i\n', 'lines', ''],
  ['a.lp', '# nothing but notes\n', 'lines', 'empty'],
  ['a.lp.gz', 'what is this?', 'lines', 'unknown'],
  ['a.txt', 'Dear all, x = y', '', 'unknown'],
  ['a.jsonl', 'oops', 'ndjson', 'unknown'],
  ['a.csv', '', '', 'empty'],
  ['a.csv', '\n\n', 'csv', 'empty'],
  ['a.png', [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0], '', 'binary'],
  ['a.xlsx', [0x50, 0x4b, 3, 4, 0], '', 'zip'],
  ['a.csv', [0xff, 0xfe, 0x64, 0], '', 'utf16'],
]

test('recognise tells a file by its first bytes, and by its name where they do not', () => {
  for (const [name, content, format, problem] of files) {
    const first = typeof content === 'string' ? bytes(content) : new Uint8Array(content)
    assert.deepEqual(recognise(name, first), { format, problem }, `${name}: ${content}`)
  }
  assert(isGzip(new Uint8Array([0x1f, 0x8b, 8])))
  assert.equal(isGzip(new Uint8Array([])), false)
  assert.equal(databaseOf(bytes('# DML\n# CONTEXT-DATABASE: home\n# CONTEXT-RETENTION-POLICY: x\n')), 'home')
  assert.equal(databaseOf(bytes('m v=1\n')), '')
})

test('cellsOf reads a row', () => {
  assert.deepEqual(cellsOf('a, b ,'), ['a', 'b', ''])
  assert.deepEqual(cellsOf('"a,""b""\nc",1'), ['a,"b"\nc', '1'])
  assert.deepEqual(cellsOf(''), [''])
  for (const wrong of ['a"b', '"a', '"a"b,c']) assert.equal(cellsOf(wrong), null, wrong)
  assert.equal(deviceColumn(['ts', ' Device ID']), 1)
  assert.equal(timeColumn(['device', 'timestamp_utc']), 1)
  assert.equal(timeColumn(['device', 'temperature']), -1)
})

test('sampleOf shows the first records', () => {
  const csv = sampleOf('csv', bytes('device,ts,m\na,1793534400,1\nb,2\n\n"c\nd",,3\n'), true)
  assert.deepEqual(csv.columns, ['device', 'ts', 'm'])
  assert.deepEqual(
    csv.rows.map(({ line, cells }) => [line, cells]),
    [
      [2, ['a', '1793534400', '1']],
      [3, null],
      [5, ['c\nd', '', '3']],
    ],
  )
  assert.deepEqual([csv.time, csv.unit], ['1793534400', 's'])

  const items = sampleOf(
    'ndjson',
    bytes('{"ts":1793534400000,"values":{"t":1},"device":"a"}\n{\n{"device":"b","values":{"h":true}}'),
    true,
  )
  assert.deepEqual(items.columns, ['device', 'ts', 't', 'h'])
  assert.deepEqual(
    items.rows.map(({ cells }) => cells),
    [['a', '1793534400000', '1', ''], null, ['b', '', '', 'true']],
  )
  assert.equal(items.unit, 'ms')

  const lines = sampleOf('lines', bytes('cpu,host=a\\ b,c=d v=1,t="x 5" 1793534400000000000\n# no\nm v=2\nx'), true)
  assert.deepEqual(
    lines.rows.map(({ line, cells }) => [line, cells]),
    [
      [1, ['cpu', 'host=a\\ b,c=d', 'v=1,t="x 5"', '1793534400000000000']],
      [3, ['m', '', 'v=2', '']],
      [4, null],
    ],
  )
  assert.equal(lines.unit, 'ns')
})

test('sampleOf shows no record that is cut off', () => {
  assert.equal(sampleOf('csv', bytes('device,m\na,1\nb,2'), false).rows.length, 1)
  assert.deepEqual(sampleOf('csv', bytes('device,m'), true).rows, [])
  assert.deepEqual(sampleOf('csv', bytes(''), true), { columns: [], rows: [], time: '', unit: '' })
})
