// The first records of a file, as a table, and what their times look like.

import { cellsOf, timeColumn } from './cells.js'
import { Splitter } from './splitter.js'
import { fieldSpace, syntaxes } from './syntax.js'
import { unitOf } from './units.js'

/** @typedef {import('./syntax.js').Format} Format */

/**
 * @typedef {object} Sample
 * @property {string[]} columns those of CSV and NDJSON by the file's names, of line protocol by LineColumn
 * @property {{line: number, cells: string[] | null, text: string}[]} rows cells are null for what cannot be read
 * @property {string} time the first time of the file as it is written, '' where the first record has none
 * @property {import('./units.js').Unit} unit that it seems to be in
 */

const shown = 8
const decoder = new TextDecoder()

/** The parts of a line of line protocol. */
export const lineColumns = ['measurement', 'tags', 'fields', 'time']

/**
 * @param {Format} format
 * @param {Uint8Array} bytes the first ones of the file, unpacked
 * @param {boolean} whole whether that is all of it
 * @returns {Sample}
 */
export function sampleOf(format, bytes, whole) {
  const records = recordsOf(format, bytes, whole)
  const table = { csv: rows, ndjson: items, lines: lineRows }[format](records)
  const time = table.rows.map(({ cells }) => cells?.[table.time] ?? '').find(Boolean) ?? ''
  return { columns: table.columns, rows: table.rows, time, unit: unitOf(time) }
}

/**
 * @param {Format} format
 * @param {Uint8Array} bytes
 * @param {boolean} whole
 * @returns {{line: number, text: string}[]}
 */
function recordsOf(format, bytes, whole) {
  const { open, blank } = syntaxes[format]
  const splitter = new Splitter(open)
  splitter.push(bytes)
  if (whole) splitter.end()
  const records = []
  while (records.length <= shown) {
    const piece = splitter.next()
    if (!piece) break
    if (!blank(piece.text)) records.push({ line: piece.line, text: decoder.decode(piece.text) })
  }
  return records
}

/** @param {{line: number, text: string}[]} records */
function rows(records) {
  const [header, ...rest] = records
  const columns = (header && cellsOf(header.text)) ?? []
  const of = (/** @type {string} */ text) => {
    const cells = cellsOf(text)
    return cells?.length === columns.length ? cells : null
  }
  return { columns, rows: rest.map((one) => ({ ...one, cells: of(one.text) })), time: timeColumn(columns) }
}

const own = ['device', 'ts', 'metric', 'value']

/** @param {{line: number, text: string}[]} records */
function items(records) {
  const read = records.slice(0, shown).map((one) => ({ ...one, item: objectOf(one.text) }))
  const names = new Set(read.flatMap(({ item }) => (item ? Object.keys(flat(item)) : [])))
  const columns = [...own.filter((name) => names.has(name)), ...[...names].filter((name) => !own.includes(name))]
  const of = (/** @type {Record<string, unknown> | null} */ item) => {
    if (!item) return null
    const values = flat(item)
    return columns.map((name) => said(values[name]))
  }
  return {
    columns,
    rows: read.map(({ line, text, item }) => ({ line, text, cells: of(item) })),
    time: columns.indexOf('ts'),
  }
}

/** @param {Record<string, any>} item */
function flat({ values, ...rest }) {
  return { ...rest, ...(values && typeof values === 'object' ? values : {}) }
}

/** @param {unknown} value */
function said(value) {
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * @param {string} text
 * @returns {Record<string, unknown> | null}
 */
function objectOf(text) {
  try {
    const read = JSON.parse(text)
    return read && typeof read === 'object' && !Array.isArray(read) ? read : null
  } catch {
    return null
  }
}

/** @param {{line: number, text: string}[]} records */
function lineRows(records) {
  return {
    columns: lineColumns,
    rows: records.slice(0, shown).map((one) => ({ ...one, cells: lineCells(one.text) })),
    time: lineColumns.indexOf('time'),
  }
}

/** @param {string} text */
function lineCells(text) {
  const bytes = new TextEncoder().encode(text)
  const space = fieldSpace(bytes)
  if (space < 1) return null
  const head = decoder.decode(bytes.subarray(0, space))
  const rest = text.slice(head.length + 1)
  const time = / (-?\d+)\s*$/.exec(rest)
  const key = /^((?:\\.|[^,\\])*),?(.*)$/s.exec(head)
  const fields = time ? rest.slice(0, time.index) : rest
  return key && fields.includes('=') ? [key[1], key[2], fields, time?.[1] ?? ''] : null
}
