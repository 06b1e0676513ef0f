// What a file is, by its first bytes and its name.

import { cellsOf, deviceColumn } from './cells.js'
import { fieldSpace, syntaxes } from './syntax.js'

/** @typedef {import('./syntax.js').Format} Format */

/**
 * Why a file cannot be imported as it is. The first four are no text of any format.
 * @typedef {'empty' | 'binary' | 'zip' | 'utf16' | 'json' | 'separator' | 'device' | 'unknown'} Problem
 */

/** Bytes that are enough to know. */
export const enough = 64 << 10

const decoder = new TextDecoder()

/** @param {Uint8Array} bytes the first ones of a file */
export function isGzip(bytes) {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/**
 * @param {string} name of the file
 * @param {Uint8Array} bytes its first ones, unpacked
 * @returns {{format: Format | '', problem: Problem | ''}} '' for a format that cannot be told
 */
export function recognise(name, bytes) {
  const problem = notText(bytes)
  if (problem) return { format: '', problem }
  const text = decoder.decode(bytes)
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const first = lines.find((line) => line && !line.startsWith('#')) ?? ''
  if (/^\{\s*("readings"|$)|^\[/.test(first)) return { format: '', problem: 'json' }
  if (first.startsWith('{')) return { format: 'ndjson', problem: '' }
  const header = cellsOf(first)
  if (header && deviceColumn(header) >= 0) return { format: 'csv', problem: '' }
  if (first.startsWith('CREATE DATABASE ') || isLine(first)) return { format: 'lines', problem: '' }
  if (!first) return { format: byName(name), problem: 'empty' }
  if (/^"?device[\s_-]?(id)?"?\s*[;\t]|[;\t]"?device[\s_-]?(id)?"?\s*([;\t]|$)/i.test(first))
    return { format: 'csv', problem: 'separator' }
  const format = byName(name)
  return { format, problem: format === 'csv' ? 'device' : 'unknown' }
}

/**
 * @param {Uint8Array} bytes
 * @returns {Problem | ''}
 */
function notText(bytes) {
  if (!bytes.length) return 'empty'
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return 'utf16'
  if (bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] < 9) return 'zip'
  return bytes.some((c) => c < 9 || (c > 13 && c < 32 && c !== 27)) ? 'binary' : ''
}

/** @param {string} line */
function isLine(line) {
  const bytes = new TextEncoder().encode(line)
  const space = fieldSpace(bytes)
  return space > 0 && /^ [^=\s]+=\S/.test(line.slice(decoder.decode(bytes.subarray(0, space)).length))
}

/**
 * @param {string} name
 * @returns {Format | ''}
 */
function byName(name) {
  const [, ending = ''] = /\.(\w+?)(?:\.gz)?$/.exec(name.toLowerCase()) ?? []
  if (ending === 'csv') return 'csv'
  if (['ndjson', 'jsonl', 'jsonlines'].includes(ending)) return 'ndjson'
  return ['lp', 'line', 'influx', 'lines'].includes(ending) ? 'lines' : ''
}

/** The formats, as they are chosen from. */
export const formats = /** @type {Format[]} */ (Object.keys(syntaxes))

/**
 * The database that a file of `influx_inspect export` is of, '' for other files.
 * @param {Uint8Array} bytes
 */
export function databaseOf(bytes) {
  return /^# CONTEXT-DATABASE:[ \t]*(\S+)/m.exec(decoder.decode(bytes.subarray(0, 4096)))?.[1] ?? ''
}
