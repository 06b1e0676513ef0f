// What text of each format has to be taken apart by. It mirrors what the server does, so that both mean the same lines.

/** @typedef {'csv' | 'ndjson' | 'lines'} Format */

/**
 * @typedef {object} Syntax
 * @property {string} type the content type that it is sent with
 * @property {(line: Uint8Array, open: boolean) => boolean} open whether a record goes on behind the line; open says whether
 *   it went on before it
 * @property {(text: Uint8Array) => boolean} blank whether there is no reading in it at all
 */

const [quote, comma, hash, space, backslash, equals] = [...'",# \\='].map((c) => c.charCodeAt(0))

/** @type {Record<Format, Syntax>} */
export const syntaxes = {
  csv: { type: 'text/csv', open: openRow, blank: (text) => text.length === 0 },
  ndjson: { type: 'application/x-ndjson', open: () => false, blank: (text) => !text.some((c) => c > space) },
  lines: { type: 'text/plain; charset=utf-8', open: openLine, blank: blankLine },
}

/**
 * A row goes on behind a line that ends within quotes. What is no CSV, such as quotes in the middle of a cell, ends with its line.
 * @param {Uint8Array} line
 * @param {boolean} open
 */
function openRow(line, open) {
  if (!open && line.indexOf(quote) < 0) return false
  let at = open ? closing(line, 0) : 0
  while (at >= 0) {
    if (line[at] === quote) {
      at = closing(line, at + 1)
      continue
    }
    const next = line.indexOf(comma, at)
    const stray = line.indexOf(quote, at)
    if (next < 0 || (stray >= 0 && stray < next)) return false
    at = next + 1
  }
  return at === unclosed
}

const unclosed = -1
const over = -2

/**
 * @param {Uint8Array} line
 * @param {number} at within quotes
 * @returns {number} where the next cell begins, unclosed, or over when the row ends with the line
 */
function closing(line, at) {
  for (;;) {
    at = line.indexOf(quote, at)
    if (at < 0) return unclosed
    if (line[at + 1] !== quote) return line[at + 1] === comma ? at + 2 : over
    at += 2
  }
}

/**
 * A line of line protocol goes on where it ends within the quotes of a text.
 * @param {Uint8Array} line
 * @param {boolean} open
 */
function openLine(line, open) {
  if (!open && (line[0] === hash || line.indexOf(quote) < 0)) return false
  let at = open ? 0 : fieldSpace(line)
  if (at < 0) return false
  let quoted = open
  for (; at < line.length; at++) {
    if (line[at] === backslash) at++
    else if (line[at] === quote && quoted) quoted = false
    else if (line[at] === quote && line[at - 1] === equals) quoted = true
  }
  return quoted
}

/**
 * Where the space before the fields of a line is, -1 if there is none.
 * @param {Uint8Array} line
 */
export function fieldSpace(line) {
  for (let at = 0; at < line.length; at++) {
    if (line[at] === backslash) at++
    else if (line[at] === space) return at
  }
  return -1
}

/** What a file of `influx_inspect export` has between its lines. */
const statement = 'CREATE DATABASE '

/** @param {Uint8Array} text */
function blankLine(text) {
  let at = 0
  while (text[at] === space) at++
  if (at === text.length || text[at] === hash) return true
  return [...statement].every((c, i) => text[at + i] === c.charCodeAt(0))
}
