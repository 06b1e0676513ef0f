// Server-Sent Events read from a fetch, which can send a body and be told where to begin. Format: HTML Standard, 9.2.6.

/**
 * @typedef {object} Sent
 * @property {string} kind the event's name
 * @property {string} id the place in the log after it, '' when it has none
 * @property {any} data decoded JSON
 */

/**
 * Takes the text of a stream, in pieces cut anywhere, and gives the events that are whole.
 */
export class Parser {
  constructor() {
    this.rest = ''
    this.kind = ''
    this.id = ''
    /** @type {string[]} */
    this.data = []
    /** The time in ms that the server asks to wait before coming back, 0 when it has not. */
    this.retry = 0
  }

  /**
   * @param {string} text
   * @returns {Sent[]}
   */
  push(text) {
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop() ?? ''
    /** @type {Sent[]} */
    const events = []
    for (const line of lines) this.line(line.endsWith('\r') ? line.slice(0, -1) : line, events)
    return events
  }

  /**
   * @param {string} line
   * @param {Sent[]} events
   */
  line(line, events) {
    if (line === '') {
      if (this.data.length)
        events.push({ kind: this.kind || 'message', id: this.id, data: JSON.parse(this.data.join('\n')) })
      this.kind = this.id = ''
      this.data = []
      return
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') this.kind = value
    else if (field === 'data') this.data.push(value)
    else if (field === 'id') this.id = value
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value)
  }
}

/**
 * Reads a stream until it ends.
 * @param {object} body what POST /api/stream takes
 * @param {AbortSignal} signal
 * @param {(events: Sent[]) => void} take called with the events of each piece that arrives, also when it holds none
 * @param {(time: number) => void} [opened] called with the server's time in Unix ms, NaN when it does not say
 * @returns {Promise<number>} how long the server asks to wait before coming back, in ms
 * @throws {Refused} when the server answers anything but a stream
 */
export async function readStream(body, signal, take, opened) {
  const answer = await fetch('/api/stream', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify(body),
    signal,
  })
  if (!answer.ok || !answer.body) throw new Refused(answer.status, Number(answer.headers.get('Retry-After')) || 0)
  opened?.(Date.parse(answer.headers.get('Date') ?? ''))
  const parser = new Parser()
  const text = new TextDecoder()
  const reader = answer.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return parser.retry
    take(parser.push(text.decode(value, { stream: true })))
  }
}

/** A refusal of a stream. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {number} retryAfter seconds
   */
  constructor(status, retryAfter) {
    super(`the stream was refused with ${status}`)
    this.status = status
    this.retryAfter = retryAfter
  }
}
