import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Points } from '../../js/chart/points.js'

/** @param {string[]} columns @param {(number | null)[][]} points */
const answered = (columns, points) => ({ device: 'a', metric: 'm', unit: null, columns, points })

test('readings stay in order, and of one instant the last counts', () => {
  const points = new Points()
  points.load(
    answered(
      ['ts', 'value'],
      [
        [10, 1],
        [30, 3],
      ],
    ),
  )
  points.put(40, 4)
  points.put(20, 2)
  points.put(30, 33)
  points.put(5, 0)
  assert.deepEqual(points.ts, [5, 10, 20, 30, 40])
  assert.deepEqual(points.values, [0, 1, 2, 33, 4])
  assert.equal(points.readings(), 5)
})

test('readings, in any order, give what a map gives', () => {
  const points = new Points()
  const map = new Map()
  let seed = 7
  const next = () => (seed = (seed * 16807) % 2147483647)
  for (let n = 0; n < 2000; n++) {
    const ts = next() % 500
    points.put(ts, n)
    map.set(ts, n)
  }
  const sorted = [...map].sort((a, b) => a[0] - b[0])
  assert.deepEqual(points.ts, sorted.map(([ts]) => ts)) // prettier-ignore
  assert.deepEqual(points.values, sorted.map(([, value]) => value)) // prettier-ignore
})

test('the newest bucket takes readings in, and a late one is asked for', () => {
  const points = new Points(60)
  assert.equal(points.put(100, 1), false)
  points.load(answered(['ts', 'avg', 'min', 'max', 'count'], [[600, 10, 8, 12, 3]]))
  assert.equal(points.put(659, 14), true)
  assert.deepEqual([points.values, points.least, points.greatest, points.counts], [[11], [8], [14], [4]])
  assert.equal(points.put(599, 1), false)
  assert.equal(points.put(790, 5), true)
  assert.deepEqual(points.ts, [600, 780])
  assert.deepEqual([points.least[1], points.greatest[1], points.counts[1]], [5, 5, 1])
  assert.equal(points.readings(), 5)
})

test('trim keeps one point before the edge', () => {
  const points = new Points()
  for (let ts = 0; ts < 300; ts++) points.put(ts, ts)
  points.trim(200)
  assert.equal(points.ts[0], 199)
  assert.equal(points.length, 101)
  assert.equal(points.values[0], 199)
})
