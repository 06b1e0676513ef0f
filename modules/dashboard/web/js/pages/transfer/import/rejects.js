// The records of a file that were not stored: the first of them by line, the others by their number.

/** @typedef {import('./answer.js').Reject} Reject */

const most = 10_000 // records
const mostText = 8 << 20 // characters of them

export class Rejects {
  constructor() {
    this.count = 0
    /** @type {Reject[]} */
    this.list = []
    this.room = mostText
  }

  /**
   * @param {number} count how many there were
   * @param {Reject[]} named those of them that are known
   */
  add(count, named) {
    this.count += count
    for (const one of named) {
      this.room -= one.text.length + one.reason.length
      if (this.list.length >= most || this.room < 0) return
      this.list.push(one)
    }
  }

  /** How many are only counted. */
  get unnamed() {
    return this.count - this.list.length
  }

  /**
   * The records as they stand in the file, to be mended and imported.
   * @param {string} header
   */
  asFile(header) {
    return (header ? header + '\n' : '') + this.list.map(({ text }) => text + '\n').join('')
  }

  /** A table of them. */
  asTable() {
    const rows = this.list.map(({ line, reason, text }) => [line, reason, text].map(cell).join(',') + '\r\n')
    return 'line,reason,text\r\n' + rows.join('')
  }
}

/**
 * A spreadsheet takes what begins so for a formula.
 * @param {string | number} value
 */
function cell(value) {
  if (typeof value === 'number') return String(value)
  const plain = /^[=+\-@\t\r]/.test(value) ? "'" + value : value
  return `"${plain.replaceAll('"', '""')}"`
}
