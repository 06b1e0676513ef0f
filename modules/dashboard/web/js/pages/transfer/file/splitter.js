// Splits the bytes of a file into records. A record is a line, or several where quoted text has line ends in it. Bytes come in pieces of
// any size, cut anywhere; nothing is decoded, so that a character may well be in two of them.

/**
 * @typedef {object} Piece
 * @property {Uint8Array} text without its line end; valid until the next push
 * @property {number} line of the file in which it begins, from 1
 * @property {'' | 'long' | 'unclosed'} problem why it cannot be sent: the text is then the beginning of it
 */

/** Bytes of a line: no reading is nearly as long, but a file of another kind may be all one line. */
export const longestLine = 1 << 20
/** Bytes of a record of several lines: quotes that are closed later than that are taken for ones that never are. */
export const longestRecord = 64 << 10

const newline = 10
const carriageReturn = 13
const told = 200 // bytes of a line that is too long
const mark = [0xef, 0xbb, 0xbf] // UTF-8's byte order mark

export class Splitter {
  /** @param {import('./syntax.js').Syntax['open']} open */
  constructor(open) {
    this.open = open
    this.held = /** @type {Uint8Array} */ (new Uint8Array(0))
    this.at = 0
    this.line = 1
    this.begun = false
    this.ended = false
    this.dropping = false // the rest of a line that is too long
  }

  /** @param {Uint8Array} bytes which are the splitter's from now on */
  push(bytes) {
    const rest = this.held.subarray(this.at)
    this.at = 0
    if (!rest.length) return void (this.held = bytes)
    this.held = new Uint8Array(rest.length + bytes.length)
    this.held.set(rest)
    this.held.set(bytes, rest.length)
  }

  /** There are no more bytes. */
  end() {
    this.ended = true
  }

  /** @returns {Piece | null} null until more is pushed */
  next() {
    if (!this.begin()) return null
    if (this.dropping && !this.drop()) return null
    const first = this.lineEnd(this.at)
    if (first < 0) return this.held.length - this.at > longestLine ? this.tooLong() : null
    if (first === this.at) return null
    if (first - this.at > longestLine) return this.tooLong()
    let end = first
    let lines = 1
    let open = this.open(this.held.subarray(this.at, end), false)
    while (open) {
      const more = this.lineEnd(end)
      if (more < 0 && this.held.length - this.at <= longestRecord) return null
      if (more < 0 || more === end || more - this.at > longestRecord) return this.take(first, 1, 'unclosed')
      open = this.open(this.held.subarray(end, more), true)
      end = more
      lines++
    }
    return this.take(end, lines, '')
  }

  /** Passes over a byte order mark; false while it cannot be told. */
  begin() {
    if (this.begun) return true
    if (this.held.length < mark.length && !this.ended) return false
    this.begun = true
    if (mark.every((byte, i) => this.held[i] === byte)) this.at = mark.length
    return true
  }

  /**
   * Where the line that begins there ends, with its line end; -1 while that is not there. At the end of the file that is where it begins.
   * @param {number} from
   */
  lineEnd(from) {
    const found = this.held.indexOf(newline, from)
    if (found >= 0) return found + 1
    return this.ended ? this.held.length : -1
  }

  /**
   * @param {number} end
   * @param {number} lines
   * @param {Piece['problem']} problem
   * @returns {Piece}
   */
  take(end, lines, problem) {
    let last = end
    if (last > this.at && this.held[last - 1] === newline) last--
    if (last > this.at && this.held[last - 1] === carriageReturn) last--
    const piece = { text: this.held.subarray(this.at, last), line: this.line, problem }
    this.at = end
    this.line += lines
    return piece
  }

  /** @returns {Piece} */
  tooLong() {
    const piece = {
      text: this.held.subarray(this.at, this.at + told),
      line: this.line,
      problem: /** @type {'long'} */ ('long'),
    }
    this.dropping = true
    return piece
  }

  /** Passes over the rest of a line; false while it goes on. */
  drop() {
    const end = this.lineEnd(this.at)
    this.at = end < 0 ? this.held.length : end
    if (end < 0) return false
    this.line++
    this.dropping = false
    return true
  }
}
