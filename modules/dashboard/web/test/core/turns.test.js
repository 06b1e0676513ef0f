import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { inTurn, outOfTurn } from '../../js/core/turns.js'

/** @type {(() => unknown)[]} */
let frames = []
let clock = 0
const { performance } = globalThis

beforeEach(() => {
  frames = []
  clock = 0
  Object.assign(globalThis, { requestAnimationFrame: (/** @type {() => unknown} */ run) => frames.push(run) })
  Object.defineProperty(globalThis, 'performance', { value: { now: () => clock }, configurable: true })
})

afterEach(async () => {
  while (await frame());
  Object.defineProperty(globalThis, 'performance', { value: performance, configurable: true })
})

/** Runs the frame that has been asked for, if there is one. */
async function frame() {
  const run = frames.shift()
  await run?.()
  return run !== undefined
}

test('turns: a frame takes what fits, and the next one goes on', async () => {
  /** @type {number[]} */
  const done = []
  for (let i = 0; i < 10; i++)
    inTurn(i, () => {
      done.push(i)
      clock += 2
    })
  assert.deepEqual(done, [])
  await frame()
  assert.deepEqual(done, [0, 1, 2])
  while (await frame());
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('turns: what a piece puts off to the end of the task is of its time', async () => {
  let done = 0
  for (let i = 0; i < 3; i++)
    inTurn(i, () => {
      done++
      queueMicrotask(() => (clock += 10))
    })
  await frame()
  assert.equal(done, 1)
})

test('turns: what is seen goes before what is not, also when it was asked for later', async () => {
  /** @type {string[]} */
  const done = []
  inTurn('below', () => done.push('below'), false)
  inTurn('moved', () => done.push('moved, not seen'), false)
  inTurn('seen', () => done.push('seen'))
  inTurn('moved', () => done.push('moved'))
  await frame()
  assert.deepEqual(done, ['seen', 'moved', 'below'])
})

test('turns: of one key the last piece counts, and keeps its place', async () => {
  /** @type {string[]} */
  const done = []
  inTurn('a', () => done.push('old'))
  inTurn('b', () => done.push('b'))
  inTurn('a', () => done.push('new'), false)
  await frame()
  assert.deepEqual(done, ['new', 'b'])
})

test('turns: what is given up is not done', async () => {
  let done = 0
  inTurn('a', () => done++)
  inTurn('b', () => done++, false)
  outOfTurn('a')
  outOfTurn('b')
  await frame()
  assert.equal(done, 0)
})

test('turns: what fails holds up nothing', async () => {
  /** @type {unknown[]} */
  const reported = []
  Object.assign(globalThis, { reportError: (/** @type {unknown} */ error) => reported.push(error) })
  let done = 0
  inTurn('a', () => {
    throw new Error('a')
  })
  inTurn('b', () => done++)
  await frame()
  assert.equal(done, 1)
  assert.equal(reported.length, 1)
})
