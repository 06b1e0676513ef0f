// The points of one series as a chart holds them: readings as they are, or buckets with average, least and greatest value.

/**
 * @typedef {object} Answered a series of a history answer
 * @property {string} device
 * @property {string} metric
 * @property {string | null} unit
 * @property {string[]} columns
 * @property {(number | null)[][]} points
 */

const open = 3 // usual steps between two points, from which on a line breaks
const around = 8 // steps on each side that tell what is usual there

/** Points in order of time, one for each time: the one that is put last counts. */
export class Points {
  /** @param {number} width of a bucket in ms, 0 for readings as they are */
  constructor(width = 0) {
    this.width = width
    /** @type {number[]} */
    this.ts = []
    /** @type {(number | null)[]} the readings, or the averages */
    this.values = []
    /** @type {(number | null)[]} of buckets only, as the next two */
    this.least = []
    /** @type {(number | null)[]} */
    this.greatest = []
    /** @type {number[]} */
    this.counts = []
    /** @type {import('./ask.js').Aggregate} what of a bucket its value is */
    this.aggregate = 'avg'
  }

  get length() {
    return this.ts.length
  }

  /**
   * Takes the points of a history answer in place of those that are there.
   * @param {Answered} answered
   * @param {import('./ask.js').Aggregate} [aggregate] what of a bucket is its value
   */
  load({ columns, points }, aggregate = 'avg') {
    this.aggregate = aggregate
    /** @param {string} name */
    const column = (name) => {
      const at = columns.indexOf(name)
      return at < 0 ? null : points.map((point) => point[at])
    }
    this.ts = /** @type {number[]} */ (column('ts') ?? [])
    this.least = column('min') ?? []
    this.greatest = column('max') ?? []
    this.counts = /** @type {number[]} */ (column('count') ?? [])
    this.values = column('value') ?? column(aggregate) ?? this.least.map((low, i) => middle(low, this.greatest[i]))
  }

  /**
   * Takes a live reading in.
   * @param {number} ts
   * @param {number} value
   * @returns {boolean} false when only history knows what came of it
   */
  put(ts, value) {
    return this.width ? this.putBucket(ts, value) : this.putReading(ts, value)
  }

  /**
   * @param {number} ts
   * @param {number} value
   */
  putReading(ts, value) {
    const at = this.find(ts)
    if (this.ts[at] === ts) this.values[at] = value
    else if (at === this.ts.length) {
      this.ts.push(ts)
      this.values.push(value)
    } else {
      this.ts.splice(at, 0, ts)
      this.values.splice(at, 0, value)
    }
    return true
  }

  /**
   * Folds a reading into the newest bucket, or begins one. What is late may be a correction, whose bucket only history knows.
   * @param {number} ts
   * @param {number} value
   */
  putBucket(ts, value) {
    const last = this.ts.length - 1
    if (last < 0) return false // where buckets begin is the server's knowledge: days follow a zone
    if (ts < this.ts[last]) return false
    if (ts < this.ts[last] + this.width) {
      this.fold(last, value)
      return this.aggregate !== 'median'
    }
    this.ts.push(this.ts[last] + this.width * Math.floor((ts - this.ts[last]) / this.width))
    for (const list of [this.values, this.least, this.greatest]) list.push(value)
    this.counts.push(1)
    return true
  }

  /**
   * @param {number} at
   * @param {number} value
   */
  fold(at, value) {
    const count = (this.counts[at] ?? 1) + 1
    this.counts[at] = count
    this.least[at] = Math.min(this.least[at] ?? value, value)
    this.greatest[at] = Math.max(this.greatest[at] ?? value, value)
    const average = this.values[at] ?? value
    if (this.aggregate === 'avg') this.values[at] = average + (value - average) / count
    else if (this.aggregate === 'min') this.values[at] = this.least[at]
    else if (this.aggregate === 'max') this.values[at] = this.greatest[at]
  }

  /**
   * The place of the first point at that time or later.
   * @param {number} ts
   */
  find(ts) {
    let low = 0
    let high = this.ts.length
    if (high && this.ts[high - 1] < ts) return high
    while (low < high) {
      const mid = (low + high) >> 1
      if (this.ts[mid] < ts) low = mid + 1
      else high = mid
    }
    return low
  }

  /**
   * Forgets what is before that time, but for one point, so that the line comes in from the edge.
   * @param {number} ts
   */
  trim(ts) {
    const n = this.find(ts) - 1
    if (n < 64) return // moving arrays costs more than some points
    for (const list of [this.ts, this.values, this.least, this.greatest, this.counts]) list.splice(0, n)
  }

  /** How many readings the points stand for. */
  readings() {
    return this.width ? this.counts.reduce((sum, count) => sum + count, 0) : this.ts.length
  }

  /**
   * The usual time between two points in ms, 0 when it cannot be told: of a sample of all steps nine of ten are no longer.
   */
  step() {
    const steps = []
    const every = Math.ceil(this.ts.length / 200)
    for (let i = 1; i < this.ts.length; i += every) steps.push(this.ts[i] - this.ts[i - 1])
    return Math.max(this.width, quantile(steps, 0.9))
  }

  /**
   * The time between two points that is usual around a place: devices change their pace, and what is sent at each change has none.
   * @param {number} at the place behind the step that is judged, which does not count
   */
  stepAround(at) {
    const { ts } = this
    const before = []
    const after = []
    for (let i = Math.max(1, at - around); i < at; i++) before.push(ts[i] - ts[i - 1])
    for (let i = at + 1; i <= Math.min(ts.length - 1, at + around); i++) after.push(ts[i] - ts[i - 1])
    return Math.max(this.width, quantile(before, 0.75), quantile(after, 0.75))
  }

  /**
   * The places before which the line breaks.
   * @returns {number[]}
   */
  openings() {
    const { ts } = this
    const found = []
    const every = Math.ceil(ts.length / 200)
    const sample = []
    for (let i = 1; i < ts.length; i += every) sample.push(ts[i] - ts[i - 1])
    const shortest = open * Math.max(this.width, quantile(sample, 0.25)) // what is shorter is none anywhere
    for (let i = 1; i < ts.length; i++) {
      const step = ts[i] - ts[i - 1]
      if (step > shortest && ts.length > 2 && step > open * this.stepAround(i)) found.push(i)
    }
    return found
  }

  /**
   * Where the line breaks: a time behind each point that a gap follows.
   * @returns {number[]} Unix ms
   */
  breaks() {
    return this.openings().map((at) => this.ts[at - 1] + 1)
  }

  /**
   * The stretches without readings, with the one from the last point on.
   * @param {number} end up to when there could be readings, Unix ms
   * @returns {[number, number][]} from and to, Unix ms
   */
  gaps(end) {
    const { ts, width } = this
    const found = this.openings().map((at) => /** @type {[number, number]} */ ([ts[at - 1] + width, ts[at]]))
    const last = ts[ts.length - 1] + width
    const usual = this.stepAround(ts.length)
    if (usual > 0 && end - last > open * usual) found.push([last, end])
    return found
  }
}

/**
 * @param {number[]} list is sorted
 * @param {number} part
 */
function quantile(list, part) {
  return list.sort((a, b) => a - b)[Math.floor((list.length - 1) * part)] ?? 0
}

/**
 * @param {number | null} low
 * @param {number | null} high
 */
function middle(low, high) {
  return low === null || high === null ? null : (low + high) / 2
}
