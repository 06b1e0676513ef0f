// Unpacks gzip of several members, which is what files have that were written in several goes. A browser's DecompressionStream
// takes one member, fails at what stands behind it, and says neither how many bytes it has taken nor that it is at its end. So each place
// at which a member may begin is tried: a stream that is at its end does not take another byte.

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const magic = [0x1f, 0x8b, 0x08]

/**
 * @param {AsyncIterable<Bytes>} pieces
 * @returns {AsyncGenerator<Bytes, void>}
 * @throws {TypeError} for what is no gzip, or is cut off
 */
export async function* unpacked(pieces) {
  let member = new Member()
  let held = new Uint8Array(0)
  try {
    for await (const bytes of pieces) {
      const all = joined(held, bytes)
      const end = Math.max(0, all.length - magic.length + 1) // behind which a place cannot be told yet
      let from = 0
      for (let at = placeIn(all, 0); at >= 0; at = placeIn(all, at + 1)) {
        yield* member.take(all.subarray(from, at))
        if (member.begun) yield* member.all()
        if (!(await member.takesOneMore(all.subarray(at, at + 1)))) {
          member = new Member()
          await member.takesOneMore(all.subarray(at, at + 1))
        }
        from = at + 1
      }
      yield* member.take(all.subarray(from, Math.max(from, end)))
      held = all.subarray(Math.max(from, end))
    }
    yield* member.take(held)
    yield* member.end()
  } finally {
    member.giveUp()
  }
}

/**
 * Where a member may begin, from a place on; -1 for nowhere.
 * @param {Bytes} bytes
 * @param {number} from
 */
function placeIn(bytes, from) {
  for (let at = bytes.indexOf(magic[0], from); at >= 0; at = bytes.indexOf(magic[0], at + 1)) {
    if (magic.every((byte, i) => bytes[at + i] === byte)) return at
  }
  return -1
}

/**
 * @param {Bytes} first
 * @param {Bytes} second
 */
function joined(first, second) {
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}

class Member {
  constructor() {
    const { readable, writable } = new DecompressionStream('gzip')
    this.writer = writable.getWriter()
    this.reader = readable.getReader()
    this.begun = false
    /** What has come out. @type {Bytes[]} */
    this.out = []
    this.over = this.gather()
  }

  /** Takes what comes out as soon as it does: a stream that fails drops what it still has. */
  async gather() {
    for (;;) {
      const { done, value } = await this.reader.read()
      if (done) return
      this.out.push(value)
    }
  }

  /** @param {Bytes} bytes */
  async *take(bytes) {
    if (bytes.length) {
      this.begun = true
      await this.writer.write(bytes)
    }
    yield* this.out.splice(0)
  }

  /** Waits until all has come out of what was put in. */
  async *all() {
    await new Promise((resolve) => setTimeout(resolve))
    yield* this.out.splice(0)
  }

  /**
   * @param {Bytes} byte
   * @returns {Promise<boolean>} false at the end of the member, of which all has come out
   */
  async takesOneMore(byte) {
    this.begun = true
    try {
      await this.writer.write(byte)
      return true
    } catch {
      this.over.catch(() => {})
      return false
    }
  }

  async *end() {
    await this.writer.close()
    await this.over
    yield* this.out.splice(0)
  }

  giveUp() {
    this.over.catch(() => {})
    this.writer.abort().catch(() => {})
  }
}
