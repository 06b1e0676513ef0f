import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columns, freePlace, heightOf, move, nudge, resize, settle } from '../js/pages/boards/grid.js'

const tile = (/** @type {string} */ id, /** @type {number[]} */ ...[x, y, w, h]) => ({ id, x, y, w, h })
const places = (/** @type {any[]} */ tiles) => tiles.map(({ id, x, y, w, h }) => `${id} ${x},${y} ${w}×${h}`)

/** @param {any[]} tiles */
function sound(tiles) {
  for (const [i, a] of tiles.entries()) {
    assert(a.x >= 0 && a.y >= 0 && a.w >= 1 && a.h >= 1 && a.x + a.w <= columns, places([a])[0])
    for (const b of tiles.slice(i + 1)) {
      const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y
      assert(apart, `${places([a, b])}`)
    }
  }
}

test('grid: tiles go up, and none lies upon another', () => {
  const settled = settle([tile('a', 0, 5, 6, 2), tile('b', 3, 5, 6, 2), tile('c', 9, 9, 6, 2)])
  assert.deepEqual(places(settled), ['a 0,0 6×2', 'b 3,2 6×2', 'c 6,4 6×2'])
})

test('grid: a tile that is moved pushes those that are in its way', () => {
  const tiles = [tile('a', 0, 0, 6, 2), tile('b', 6, 0, 6, 2), tile('c', 0, 2, 12, 1)]
  assert.deepEqual(places(move(tiles, 'a', 6, 0)), ['a 6,0 6×2', 'b 6,2 6×2', 'c 0,4 12×1'])
  assert.deepEqual(places(move(tiles, 'c', 0, 0)), ['a 0,1 6×2', 'b 6,1 6×2', 'c 0,0 12×1'])
  assert.deepEqual(places(move(tiles, 'a', 99, -4)), ['a 6,0 6×2', 'b 6,2 6×2', 'c 0,4 12×1'])
})

test('grid: a step down or up goes past the next tile, and back', () => {
  const tiles = [tile('a', 0, 0, 12, 2), tile('b', 0, 2, 12, 3), tile('c', 0, 5, 12, 1)]
  const down = nudge(tiles, 'a', 0, 1)
  assert.deepEqual(places(down), ['a 0,3 12×2', 'b 0,0 12×3', 'c 0,5 12×1'])
  assert.deepEqual(nudge(down, 'a', 0, -1), tiles)
  assert.deepEqual(nudge(tiles, 'c', 0, 1), tiles)
  assert.deepEqual(nudge(tiles, 'a', 0, -1), tiles)
})

test('grid: sizes stay within the columns', () => {
  const tiles = [tile('a', 4, 0, 4, 2), tile('b', 8, 0, 4, 2)]
  assert.deepEqual(places(resize(tiles, 'a', 20, 0)), ['a 4,0 8×1', 'b 8,1 4×2'])
})

test('grid: the first free place', () => {
  assert.deepEqual(freePlace([], 6, 2), { x: 0, y: 0 })
  assert.deepEqual(freePlace([tile('a', 0, 0, 6, 2)], 6, 2), { x: 6, y: 0 })
  assert.deepEqual(freePlace([tile('a', 3, 0, 6, 2)], 6, 2), { x: 0, y: 2 })
})

test('grid: whatever is done, tiles are beside each other', () => {
  let seed = 7
  const random = (/** @type {number} */ n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n
  /** @type {any[]} */
  let tiles = []
  for (let i = 0; i < 20; i++) {
    const [w, h] = [1 + random(6), 1 + random(4)]
    tiles.push({ id: `t${i}`, ...freePlace(tiles, w, h), w, h })
  }
  tiles = settle(tiles)
  for (let i = 0; i < 1000; i++) {
    const id = `t${random(20)}`
    tiles =
      i % 3 === 0
        ? resize(tiles, id, 1 + random(14), 1 + random(5))
        : i % 3 === 1
          ? move(tiles, id, random(14), random(30))
          : nudge(tiles, id, 0, random(2) ? 1 : -1)
    sound(tiles)
    assert.deepEqual(settle(tiles), tiles)
  }
  assert(heightOf(tiles) < 120)
})
