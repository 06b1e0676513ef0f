// Sends the parts of a file one after the other, and notes what the server did not take of each.

import { ApiError } from '../../../core/api.js'
import { rejectsOf } from './answer.js'
import { most } from '../file/part.js'
import { post, targetOf } from './post.js'
import { syntaxes } from '../file/syntax.js'

/** An import ends at a record that is not valid. */
export class BadRecord extends Error {
  /** @param {{from: number, to: number}} span the lines of the part of which nothing is stored */
  constructor(span) {
    super('a record is not valid')
    this.span = span
  }
}

const decoder = new TextDecoder()

/**
 * @typedef {object} Stored
 * @property {number} records of a part that are stored
 * @property {number} readings in them, 0 where the server does not say
 * @property {number} line the last one of the part
 */

export class Sender {
  /**
   * @param {import('./run.js').Options} options
   * @param {{subject: string, signal: AbortSignal, rejects: import('./rejects.js').Rejects, onStored: (stored: Stored) => void,
   *   onWait: (wait: import('./post.js').Wait) => void}} run
   */
  constructor(options, run) {
    this.options = options
    this.run = run
    this.target = targetOf(options)
    /** What a part may have: less than usual where the server takes less. */
    this.bytes = most.bytes
  }

  /**
   * @param {import('../file/part.js').Part} part
   * @returns {Promise<void>}
   * @throws {BadRecord}
   * @throws {ApiError} for a refusal that speaks of no record
   */
  async send(part) {
    let answer = null
    try {
      answer = await post(this.target, syntaxes[this.options.format].type, part.content(), this.run)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status !== 413) return this.refused(part, error)
      if (part.count === 1) return this.tooLarge(part)
      this.bytes = Math.max(1, part.size >> 1)
      for (const half of part.halves()) await this.send(half)
      return
    }
    this.settle(part, answer)
  }

  /**
   * @param {import('../file/part.js').Part} part
   * @param {ApiError} error
   */
  refused(part, error) {
    const { count, rejects } = rejectsOf(part, error.problem)
    if (!count) throw error
    // Some lines of line protocol were stored, or could have been.
    if (this.options.skip && error.problem.rejected_count) return this.settle(part, error.problem)
    this.run.rejects.add(count, rejects)
    throw new BadRecord(part.span)
  }

  /**
   * @param {import('../file/part.js').Part} part
   * @param {any} answer
   */
  settle(part, answer) {
    const { count, rejects } = rejectsOf(part, answer)
    this.run.rejects.add(count, rejects)
    this.run.onStored({ records: part.count - count, readings: answer?.accepted ?? 0, line: part.span.to })
  }

  /** @param {import('../file/part.js').Part} part with one record, which no request can carry */
  tooLarge(part) {
    this.refuse({ line: part.lines[0], text: part.textOf(0), reason: 'long' })
    this.run.onStored({ records: 0, readings: 0, line: part.lines[0] })
  }

  /**
   * Refuses a record that is not sent at all.
   * @param {{line: number, text: Uint8Array, reason: string}} record
   */
  refuse({ line, text, reason }) {
    this.run.rejects.add(1, [{ line, reason, text: decoder.decode(text) }])
    if (!this.options.skip) throw new BadRecord({ from: line, to: line })
  }
}
