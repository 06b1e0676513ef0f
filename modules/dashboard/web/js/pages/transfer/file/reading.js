// The text of a file, piece by piece: never more than some of it is in memory.

import { enough, isGzip } from './recognise.js'

const piece = 64 << 10 // bytes that are unpacked at once

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
 * @param {(bytes: number) => void} onRead is told the bytes of the file as it is there
 * @returns {AsyncGenerator<Uint8Array<ArrayBuffer>, void>}
 * @throws {ReadError}
 */
export async function* textOf(file, packed, onRead) {
  /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */
  const counted = file.stream().pipeThrough(
    new TransformStream({
      transform(bytes, to) {
        onRead(bytes.length)
        for (let at = 0; at < bytes.length; at += piece) to.enqueue(bytes.subarray(at, at + piece))
      },
    }),
  )
  const reader = (packed ? counted.pipeThrough(new DecompressionStream('gzip')) : counted).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        throw new ReadError(packed && !(cause instanceof DOMException), cause)
      })
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {}) // it has failed, or is over
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
