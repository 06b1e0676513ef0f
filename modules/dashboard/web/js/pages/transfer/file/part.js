// The part of a file that one request carries: records, and the lines of the file that they are.

/** Where a part is full: large enough for the server to be quick, small enough for it to take. */
export const most = { records: 10_000, bytes: 1 << 20 }

const newline = 10

export class Part {
  /**
   * @param {Uint8Array} header what each request begins with: the first row of CSV, else empty
   * @param {number} bytes that it may have
   */
  constructor(header, bytes = most.bytes) {
    this.header = header
    this.bytes = bytes
    this.body = new Uint8Array(0)
    this.size = 0
    /** Where each record begins: its place in the body, its line there, its line in the file. @type {number[]} */
    this.starts = []
    /** @type {number[]} */
    this.bodyLines = []
    /** @type {number[]} */
    this.lines = []
    this.bodyLine = 1
    if (header.length) this.append(header)
  }

  get count() {
    return this.lines.length
  }

  /** The lines of the file in which it begins and ends. */
  get span() {
    return { from: this.lines[0], to: this.lines[this.count - 1] }
  }

  /**
   * Whether there is room for a record. One that is too large by itself still gets a part of its own.
   * @param {Uint8Array} text
   */
  fits(text) {
    return this.count === 0 || (this.count < most.records && this.size + text.length + 1 <= this.bytes)
  }

  /**
   * @param {Uint8Array} text without its line end
   * @param {number} line of the file
   */
  add(text, line) {
    this.starts.push(this.size)
    this.bodyLines.push(this.bodyLine)
    this.lines.push(line)
    this.append(text)
  }

  /** @param {Uint8Array} text */
  append(text) {
    const end = this.size + text.length + 1
    if (end > this.body.length) {
      const larger = new Uint8Array(Math.max(end, Math.min(2 * this.body.length, this.bytes), 4096))
      larger.set(this.body.subarray(0, this.size))
      this.body = larger
    }
    this.body.set(text, this.size)
    this.body[end - 1] = newline
    this.size = end
    for (let at = text.indexOf(newline); at >= 0; at = text.indexOf(newline, at + 1)) this.bodyLine++
    this.bodyLine++
  }

  /** What is sent. */
  content() {
    return this.body.subarray(0, this.size)
  }

  /** @param {number} index of a record */
  textOf(index) {
    return this.body.subarray(this.starts[index], (this.starts[index + 1] ?? this.size) - 1)
  }

  /**
   * The record that a line of the body belongs to, -1 if none does.
   * @param {number} bodyLine from 1
   */
  recordAt(bodyLine) {
    let [low, high] = [0, this.count]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.bodyLines[middle] <= bodyLine) low = middle + 1
      else high = middle
    }
    return bodyLine < this.bodyLine ? low - 1 : -1
  }

  /** The same in two parts. @returns {Part[]} */
  halves() {
    const half = Math.ceil(this.count / 2)
    return [0, half].map((from) => {
      const part = new Part(this.header, this.bytes)
      for (let i = from; i < (from ? this.count : half); i++) part.add(this.textOf(i), this.lines[i])
      return part
    })
  }
}
