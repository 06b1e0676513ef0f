// The text of a file, piece by piece: never more than some of it is in memory.

import { enough, isGzip } from './recognise.js'
import { unpacked } from './unpack.js'

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const piece = 64 << 10 // bytes that are taken at once

/** A file that cannot be read on. */
export class ReadError extends Error {
  /**
   * @param {boolean} packed whether it is what it is packed in that is damaged
   * @param {unknown} cause
   */
  constructor(packed, cause) {
    super('the file cannot be read', { cause })
    this.packed = packed
  }
}

/**
 * @param {Blob} file
 * @param {boolean} packed whether it is gzip
 * @param {(bytes: number) => void} onRead is told the bytes of the file as it is there, as they are taken
 * @returns {AsyncGenerator<Bytes, void>}
 * @throws {ReadError}
 */
export async function* textOf(file, packed, onRead) {
  const pieces = piecesOf(file, onRead)
  try {
    for await (const bytes of packed ? unpacked(pieces) : pieces) yield bytes
  } catch (cause) {
    throw new ReadError(packed && !(cause instanceof DOMException), cause)
  }
}

/**
 * @param {Blob} file
 * @param {(bytes: number) => void} onRead
 * @returns {AsyncGenerator<Bytes, void>}
 */
async function* piecesOf(file, onRead) {
  const reader = file.stream().getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      for (let at = 0; at < value.length; at += piece) {
        const bytes = value.subarray(at, at + piece)
        onRead(bytes.length)
        yield bytes
      }
    }
  } finally {
    void reader.cancel().catch(() => {}) // it has failed, or is over
  }
}

/**
 * The first bytes of the text.
 * @param {Blob} file
 * @returns {Promise<{bytes: Uint8Array, whole: boolean, packed: boolean}>} whole says that there are no more
 * @throws {ReadError}
 */
export async function headOf(file) {
  const packed = isGzip(await bytesOf(file.slice(0, 2)))
  const pieces = []
  let size = 0
  for await (const bytes of textOf(file, packed, () => {})) {
    pieces.push(bytes)
    size += bytes.length
    if (size > enough) break
  }
  return { bytes: (await bytesOf(new Blob(pieces))).subarray(0, enough), whole: size <= enough, packed }
}

/** @param {Blob} blob */
async function bytesOf(blob) {
  return new Uint8Array(await blob.arrayBuffer())
}
