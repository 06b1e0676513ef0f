import assert from 'node:assert/strict'
import { test } from 'node:test'
import { longestLine, longestRecord, Splitter } from '../../js/pages/transfer/file/splitter.js'
import { syntaxes } from '../../js/pages/transfer/file/syntax.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The records of a text that comes in pieces of a size, as "line problem text".
 * @param {import('../../js/pages/transfer/file/syntax.js').Format} format
 * @param {string | Uint8Array} text
 * @param {number} size
 */
function split(format, text, size) {
  const bytes = typeof text === 'string' ? encoder.encode(text) : text
  const splitter = new Splitter(syntaxes[format].open)
  /** @type {string[]} */
  const found = []
  const take = () => {
    for (let piece = splitter.next(); piece; piece = splitter.next()) {
      found.push(`${piece.line}${piece.problem && ' ' + piece.problem}: ${decoder.decode(piece.text)}`)
    }
  }
  for (let at = 0; at < bytes.length; at += size) {
    splitter.push(bytes.slice(at, at + size))
    take()
  }
  splitter.end()
  take()
  return found
}

/** @type {[string, import('../../js/pages/transfer/file/syntax.js').Format, string, string[]][]} */
const cases = [
  ['nothing', 'csv', '', []],
  ['one line', 'csv', 'device,m\n', ['1: device,m']],
  ['no line end at the end', 'csv', 'device,m\na,1', ['1: device,m', '2: a,1']],
  ['CRLF', 'csv', 'device,m\r\na,1\r\n', ['1: device,m', '2: a,1']],
  ['CR at the very end', 'csv', 'a,1\r', ['1: a,1']],
  ['blank lines', 'ndjson', '\n{}\n\r\n\n{}', ['1: ', '2: {}', '3: ', '4: ', '5: {}']],
  ['a byte order mark', 'csv', '\ufeffdevice,m\na,1\n', ['1: device,m', '2: a,1']],
  ['a mark and nothing else', 'csv', '\ufeff', []],
  ['a mark in the middle', 'csv', 'a\n\ufeffb\n', ['1: a', '2: \ufeffb']],
  ['characters of several bytes', 'ndjson', '{"ä":"€😀"}\n{"😀":1}\n', ['1: {"ä":"€😀"}', '2: {"😀":1}']],
  ['quoted commas', 'csv', '"a,b",1\n"c",2\n', ['1: "a,b",1', '2: "c",2']],
  ['a quoted line end', 'csv', 'x,"a\nb",1\ny,2\n', ['1: x,"a\nb",1', '3: y,2']],
  ['a quoted CRLF', 'csv', '"a\r\nb",1\r\ny,2\r\n', ['1: "a\r\nb",1', '3: y,2']],
  ['doubled quotes', 'csv', '"a""\n""b",1\ny,2', ['1: "a""\n""b",1', '3: y,2']],
  ['quotes that end the row', 'csv', 'a,"b"\r\nc,"d"\n', ['1: a,"b"', '2: c,"d"']],
  ['quotes in the middle of a cell', 'csv', 'a,5"x\nb,1\nc,6"y\n', ['1: a,5"x', '2: b,1', '3: c,6"y']],
  ['text behind quotes', 'csv', '"a"b,"c\nd,1\n', ['1: "a"b,"c', '2: d,1']],
  ['quotes that are never closed', 'csv', 'a,1\nb,"2\nc,3\nd,4', ['1: a,1', '2 unclosed: b,"2', '3: c,3', '4: d,4']],
  ['quotes of NDJSON', 'ndjson', '{"a":"\n{}\n', ['1: {"a":"', '2: {}']],
  ['text of several lines', 'lines', 'm,d=a t="x\ny" 1\nm v=2\n', ['1: m,d=a t="x\ny" 1', '3: m v=2']],
  ['escaped quotes', 'lines', 'm t="x\\"\ny" 1\nm v=2\n', ['1: m t="x\\"\ny" 1', '3: m v=2']],
  ['quotes in tags', 'lines', 'm,d="a v=1\nm v=2\n', ['1: m,d="a v=1', '2: m v=2']],
  ['quotes in comments', 'lines', '# x="y\nm v=2\n', ['1: # x="y', '2: m v=2']],
  ['text that is never closed', 'lines', 'm t="x\nm v=2\n', ['1 unclosed: m t="x', '2: m v=2']],
]

test('splitter finds the same records wherever the bytes are cut', () => {
  for (const [name, format, text, want] of cases)
    for (const size of [1, 2, 3, 4, 5, 7, 1000])
      assert.deepEqual(split(format, text, size), want, `${name}, by ${size}`)
})

test('splitter passes over a line that is too long, and goes on behind it', () => {
  const long = 'x'.repeat(longestLine + 1)
  for (const size of [1 << 16, 1 << 20, 1 << 22]) {
    const found = split('ndjson', `{}\n${long}${long}\n{"a":1}\n${long}`, size).map((one) => one.slice(0, 12))
    assert.deepEqual(found, ['1: {}', '2 long: xxxx', '3: {"a":1}', '4 long: xxxx'])
  }
})

test('splitter takes a line that is just short enough', () => {
  const line = 'x'.repeat(longestLine - 1)
  assert.deepEqual(
    split('ndjson', line + '\n{}', 1 << 16).map(({ length }) => length),
    [line.length + 3, 5],
  )
})

test('splitter gives quotes up that are closed too late', () => {
  const lines = 'b,1\n'.repeat(longestRecord / 4 + 1)
  const found = split('csv', `a,"1\n${lines}`, 1 << 12)
  assert.equal(found[0], '1 unclosed: a,"1')
  assert.equal(found[1], '2: b,1')
  assert.equal(found.length, longestRecord / 4 + 2)
})

test('blank is what holds no reading', () => {
  /** @type {[import('../../js/pages/transfer/file/syntax.js').Format, string, boolean][]} */
  const table = [
    ['csv', '', true],
    ['csv', ' ', false], // a row of one cell, which the server refuses
    ['ndjson', ' \t', true],
    ['ndjson', '{}', false],
    ['lines', '  ', true],
    ['lines', ' # note', true],
    ['lines', 'CREATE DATABASE x', true],
    ['lines', 'm v=1', false],
  ]
  for (const [format, line, blank] of table) assert.equal(syntaxes[format].blank(encoder.encode(line)), blank, line)
})
