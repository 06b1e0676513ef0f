import assert from 'node:assert/strict'
import { test } from 'node:test'
import { likelyUnit, rejectsOf } from '../../js/pages/transfer/import/answer.js'
import { most, Part } from '../../js/pages/transfer/file/part.js'

const encoder = new TextEncoder()
const bytes = (/** @type {string} */ text) => encoder.encode(text)
const content = (/** @type {Part} */ part) => new TextDecoder().decode(part.content())

/**
 * @param {string} header
 * @param {[string, number][]} records with their lines in the file
 */
function partOf(header, records) {
  const part = new Part(bytes(header))
  for (const [text, line] of records) part.add(bytes(text), line)
  return part
}

test('a part begins with the header and knows the lines of the file', () => {
  const part = partOf('device,m', [
    ['a,1', 2],
    ['"b\nc",2', 4],
    ['d,3', 9],
  ])
  assert.equal(content(part), 'device,m\na,1\n"b\nc",2\nd,3\n')
  assert.deepEqual(part.span, { from: 2, to: 9 })
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((line) => part.recordAt(line)),
    [-1, -1, 0, 1, 1, 2, -1],
  )
  assert.equal(new TextDecoder().decode(part.textOf(1)), '"b\nc",2')
})

test('a part is full by its records or by its bytes, but takes any one record', () => {
  const part = new Part(bytes('device,m'), 21)
  assert(part.fits(bytes('x'.repeat(1000))))
  part.add(bytes('a,1'), 2)
  assert(part.fits(bytes('b,12345')))
  part.add(bytes('b,12345'), 3)
  assert.equal(part.fits(bytes('')), false)
  const many = new Part(bytes(''))
  for (let i = 0; i < most.records; i++) many.add(bytes('{}'), i + 1)
  assert.equal(many.fits(bytes('{}')), false)
})

test('halves are the same in two parts', () => {
  const part = partOf('device,m', [
    ['a,1', 2],
    ['b,2', 3],
    ['c,3', 5],
  ])
  const [first, second] = part.halves()
  assert.equal(content(first), 'device,m\na,1\nb,2\n')
  assert.equal(content(second), 'device,m\nc,3\n')
  assert.deepEqual(second.span, { from: 5, to: 5 })
})

test('rejects are those of the file by the lines of the body', () => {
  const part = partOf('device,ts,m', [
    ['a,1,1', 2],
    ['"b\nx",2,2', 7],
    ['c,3,warm', 10],
  ])
  const { count, rejects } = rejectsOf(part, {
    rejected_count: 3,
    rejected: [
      { field: 'readings[2].values.m', reason: 'line 5: "warm" is no value' },
      { field: 'readings[1]', reason: 'line 3: has 2 cells; the header has 3' },
    ],
  })
  assert.equal(count, 3)
  assert.deepEqual(rejects, [
    { line: 7, reason: 'has 2 cells; the header has 3', text: '"b\nx",2,2' },
    { line: 10, reason: 'values.m "warm" is no value', text: 'c,3,warm' },
  ])
})

test('rejects of NDJSON and line protocol are named by place and by line', () => {
  const items = partOf('', [
    ['{}', 1],
    ['{', 5],
  ])
  assert.deepEqual(rejectsOf(items, { errors: [{ field: 'readings[1]', reason: 'is not valid JSON' }] }).rejects, [
    { line: 5, reason: 'is not valid JSON', text: '{' },
  ])
  const lines = partOf('', [
    ['m v=1', 3],
    ['m', 4],
  ])
  assert.deepEqual(rejectsOf(lines, { rejected_count: 1, errors: [{ field: 'line 2', reason: 'no fields' }] }), {
    count: 1,
    rejects: [{ line: 4, reason: 'no fields', text: 'm' }],
  })
})

test('what speaks of the whole request rejects no record', () => {
  const part = partOf('', [['{}', 1]])
  for (const answer of [
    null,
    {},
    { errors: [{ field: 'body', reason: 'has no readings' }] },
    { errors: [{ field: 'readings[7]', reason: 'x' }] },
    { errors: [{ field: 'line 9', reason: 'x' }] },
  ])
    assert.deepEqual(rejectsOf(part, answer), { count: 0, rejects: [] })
})

test('likelyUnit reads what the server guesses of a time', () => {
  assert.equal(likelyUnit('is 1970-01-21T18:12:14.4Z; it looks like seconds: send milliseconds'), 's')
  assert.equal(likelyUnit('is 1970-01-01T00:00:01.793Z; it looks like milliseconds: say precision=ms'), 'ms')
  assert.equal(likelyUnit('it looks like nanoseconds: send milliseconds'), 'ns')
  assert.equal(likelyUnit('"warm" is no value'), '')
})
