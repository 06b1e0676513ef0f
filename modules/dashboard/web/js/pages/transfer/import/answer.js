// What the server says of the records of a part.

/**
 * @typedef {object} Reject a record that was not stored
 * @property {number} line of the file
 * @property {string} reason
 * @property {string} text of the record
 */

/** @typedef {{field: string, reason: string}} Complaint */

const decoder = new TextDecoder()

/**
 * @param {import('../file/part.js').Part} part
 * @param {{rejected_count?: number, rejected?: Complaint[], errors?: Complaint[]} | null} answer to it: a receipt or a problem
 * @returns {{count: number, rejects: Reject[]}} how many records were rejected, and why those were that the answer lists
 */
export function rejectsOf(part, answer) {
  /** @type {Reject[]} */
  const rejects = []
  for (const { field, reason } of [...(answer?.rejected ?? []), ...(answer?.errors ?? [])]) {
    const index = recordOf(part, field, reason)
    if (index < 0) continue // it speaks of the whole request
    rejects.push({ line: part.lines[index], reason: inWords(field, reason), text: decoder.decode(part.textOf(index)) })
  }
  rejects.sort((a, b) => a.line - b.line)
  return { count: Math.max(answer?.rejected_count ?? 0, rejects.length), rejects }
}

/**
 * The record is named by its line in the body, `line 4` or `line 4: …`, or by its place, `readings[3].values.temperature`. The line
 * counts: the server may see more records in a broken part than there are.
 * @param {import('../file/part.js').Part} part
 * @param {string} field
 * @param {string} reason
 */
function recordOf(part, field, reason) {
  const line = /^line (\d+)$/.exec(field) ?? (field.startsWith('readings[') ? /^line (\d+): /.exec(reason) : null)
  if (line) return part.recordAt(Number(line[1]))
  const place = /^readings\[(\d+)\]/.exec(field)
  return place && Number(place[1]) < part.count ? Number(place[1]) : -1
}

/**
 * Without the line of the body, which is not that of the file.
 * @param {string} field
 * @param {string} reason
 */
function inWords(field, reason) {
  const path = /^readings\[\d+\]\.(.+)$/.exec(field)
  const said = reason.replace(/^line \d+: /, '')
  return path ? `${path[1]} ${said}` : said
}

/**
 * The unit that times of a file have, where that is why they are refused: 's', 'ms', 'us', 'ns', or ''.
 * @param {string} reason
 */
export function likelyUnit(reason) {
  const found = /looks like (milli|micro|nano)?seconds/.exec(reason)
  return found ? ({ milli: 'ms', micro: 'us', nano: 'ns' }[found[1]] ?? 's') : ''
}
