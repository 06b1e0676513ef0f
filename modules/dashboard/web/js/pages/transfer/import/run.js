// An import under way: reads the file, gathers its records into parts and has them sent, until it is over or stopped.

import { signal } from 'preact'
import { cellsOf, timeColumn } from '../file/cells.js'
import { Part } from '../file/part.js'
import { ReadError, textOf } from '../file/reading.js'
import { Rejects } from './rejects.js'
import { BadRecord, Sender } from './sending.js'
import { Splitter } from '../file/splitter.js'
import { syntaxes } from '../file/syntax.js'
import { converterOf } from '../file/units.js'

/**
 * @typedef {object} Options
 * @property {import('../file/syntax.js').Format} format
 * @property {boolean} packed whether the file is gzip
 * @property {boolean} skip whether bad records are left out, or end the import
 * @property {import('../file/units.js').Unit} unit of times that are counts
 * @property {string} tag the tags that name the device in line protocol, '' for the usual ones
 * @property {string} bucket the device of lines that name none
 */

/**
 * @typedef {object} Progress
 * @property {number} read bytes of the file
 * @property {number} line the one up to which all is settled
 * @property {number} records that are stored
 * @property {number} readings in them, 0 where the server does not say
 * @property {number} rejected records
 * @property {number} ms that the import has been at work
 */

/** @typedef {'working' | 'paused' | 'done' | 'stopped' | 'failed'} State */

const ended = new Error('ended by the person')
const none = new Uint8Array(0)
const decoder = new TextDecoder()

export class Run {
  /**
   * @param {File} file
   * @param {Options} options
   * @param {string} subject who imports it
   */
  constructor(file, options, subject) {
    this.file = file
    this.options = options
    this.subject = subject
    this.state = signal(/** @type {State} */ ('working'))
    this.wait = signal(/** @type {import('./post.js').Wait} */ ({ why: '', until: 0 }))
    this.progress = signal(/** @type {Progress} */ ({ read: 0, line: 0, records: 0, readings: 0, rejected: 0, ms: 0 }))
    this.rejects = new Rejects()
    /** Why it failed. @type {Error | null} */
    this.error = null
    this.header = none
    this.part = new Part(none)
    this.convert = converterOf(options.format, options.unit, -1)
    this.read = 0
    this.since = Date.now()
    this.goOn = () => {}
    this.ending = new AbortController()
    this.sender = new Sender(options, {
      subject,
      signal: this.ending.signal,
      rejects: this.rejects,
      onStored: (stored) => this.stored(stored),
      onWait: (wait) => this.waits(wait),
    })
  }

  get over() {
    return !['working', 'paused'].includes(this.state.value)
  }

  /** Imports the file. It never rejects: the state says how it ended. */
  async work() {
    try {
      await this.through()
      this.state.value = 'done'
    } catch (error) {
      this.error = error === ended ? null : /** @type {Error} */ (error)
      this.tell({})
      this.state.value = this.error ? 'failed' : 'stopped'
    }
    this.wait.value = { why: '', until: 0 }
  }

  /** Goes through the file. */
  async through() {
    const splitter = new Splitter(syntaxes[this.options.format].open)
    try {
      for await (const bytes of textOf(this.file, this.options.packed, (n) => (this.read += n))) {
        splitter.push(bytes)
        await this.take(splitter)
      }
    } catch (error) {
      if (error instanceof ReadError) await this.flush() // what could be read is good
      throw error
    }
    splitter.end()
    await this.take(splitter)
    await this.flush()
    this.tell({ line: splitter.line - 1, read: this.file.size })
  }

  /**
   * Takes the records that are there.
   * @param {Splitter} splitter
   */
  async take(splitter) {
    const { format, skip } = this.options
    for (let piece = splitter.next(); piece; piece = splitter.next()) {
      const { text, line, problem } = piece
      const header = format === 'csv' && !this.header.length
      if (problem) {
        if (!skip) await this.flush() // what stands before it is good
        this.sender.refuse({ text, line, reason: problem })
        if (header) throw new BadRecord({ from: line, to: line })
      } else if (syntaxes[format].blank(text)) continue
      else if (header) this.begin(text)
      else await this.add(this.convert ? this.convert(text) : text, line)
    }
  }

  /** @param {Uint8Array} header of CSV */
  begin(header) {
    this.header = header.slice()
    this.part = new Part(this.header)
    this.convert = converterOf('csv', this.options.unit, timeColumn(cellsOf(decoder.decode(header)) ?? []))
  }

  /**
   * @param {Uint8Array} text
   * @param {number} line
   */
  async add(text, line) {
    if (!this.part.fits(text)) await this.flush()
    this.part.add(text, line)
  }

  /** Sends what has been gathered, unless the import is paused. */
  async flush() {
    while (this.state.peek() === 'paused') await new Promise((resolve) => (this.goOn = () => resolve(undefined)))
    this.ending.signal.throwIfAborted()
    if (this.part.count) await this.sender.send(this.part)
    this.part = new Part(this.header, this.sender.bytes)
  }

  /** @param {import('./sending.js').Stored} stored */
  stored({ records, readings, line }) {
    const before = this.progress.peek()
    this.tell({ records: before.records + records, readings: before.readings + readings, line, read: this.read })
  }

  /** @param {import('./post.js').Wait} wait */
  waits(wait) {
    const before = this.wait.peek()
    if (wait.why === '' && before.why === '') return
    if (before.why) this.since = Date.now()
    else this.tell({})
    this.wait.value = wait
  }

  /** @param {Partial<Progress>} more */
  tell(more) {
    const before = this.progress.peek()
    const ms = before.ms + Date.now() - this.since
    this.since = Date.now()
    this.progress.value = { ...before, ms, rejected: this.rejects.count, ...more }
  }

  pause() {
    if (this.state.peek() !== 'working') return
    this.tell({})
    this.state.value = 'paused'
  }

  resume() {
    if (this.state.peek() !== 'paused') return
    this.since = Date.now()
    this.state.value = 'working'
    this.goOn()
  }

  /** Ends it: what has been acknowledged stays stored. */
  stop() {
    this.ending.abort(ended)
    this.resume()
  }

  /** The header of CSV as text, '' for other formats. */
  get head() {
    return decoder.decode(this.header)
  }
}
