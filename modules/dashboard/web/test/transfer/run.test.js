import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { session } from '../../js/core/session.js'
import { ApiError } from '../../js/core/api.js'
import { headOf, ReadError } from '../../js/pages/transfer/file/reading.js'
import { Rejects } from '../../js/pages/transfer/import/rejects.js'
import { Run } from '../../js/pages/transfer/import/run.js'
import { BadRecord } from '../../js/pages/transfer/import/sending.js'

/** @typedef {{path: string, type: string, body: string}} Asked */

/** @type {Asked[]} */
let asked = []
/** What the server answers, one after the other; then always that all is well. @type {((asked: Asked) => Response | null)[]} */
let answers = []
const { fetch } = globalThis
const storage = globalThis.localStorage

beforeEach(() => {
  asked = []
  answers = []
  Object.assign(globalThis, { localStorage: { removeItem() {}, setItem() {}, getItem: () => null } })
  session.value = { ...session.value, state: 'in', subject: 'admin' }
  globalThis.fetch = async (path, options) => {
    const { body, headers } = /** @type {{body: Uint8Array, headers: any}} */ (options)
    const call = { path: String(path), type: headers['Content-Type'], body: new TextDecoder().decode(body) }
    asked.push(call)
    const answer = answers.shift()?.(call)
    if (answer === null) throw new TypeError('failed to fetch')
    return answer ?? Response.json({ accepted: call.body.split('\n').length - 2 })
  }
})

afterEach(() => {
  Object.assign(globalThis, { fetch, localStorage: storage })
})

const plain = {
  format: /** @type {'csv'} */ ('csv'),
  packed: false,
  skip: false,
  unit: /** @type {''} */ (''),
  tag: '',
  bucket: '',
}

/**
 * @param {BlobPart[]} content
 * @param {Partial<import('../../js/pages/transfer/import/run.js').Options>} [options]
 */
function runOf(content, options) {
  const file = Object.assign(new Blob(content), { name: 'a.csv', lastModified: 0, webkitRelativePath: '' })
  return new Run(file, { ...plain, ...options }, 'admin')
}

const refusal =
  (/** @type {number} */ status, /** @type {object} */ problem, /** @type {Record<string, string>} */ headers = {}) =>
  () =>
    Response.json(problem, { status, headers })

test('a run posts a file in parts, each with the header', async () => {
  const rows = Array.from({ length: 25_000 }, (_, i) => `a,${1793534400000 + i},${i}`)
  const run = runOf(['device,ts,m\r\n', rows.join('\n')])
  await run.work()
  assert.equal(run.state.value, 'done')
  assert.deepEqual(
    asked.map(({ path, type, body }) => [path, type, body.split('\n').length - 2, body.slice(0, 12)]),
    [10_000, 10_000, 5000].map((n) => ['/api/readings', 'text/csv', n, 'device,ts,m\n']),
  )
  const { records, readings, rejected, line, read } = run.progress.value
  assert.deepEqual([records, readings, rejected, line], [25_000, 25_000, 0, 25_001])
  assert.equal(read, run.file.size)
})

test('a run of nothing but a header, or of nothing, asks nothing', async () => {
  for (const text of ['device,m', '\ufeffdevice,m\r\n\r\n', '', '\n\n']) {
    const run = runOf([text])
    await run.work()
    assert.deepEqual([run.state.value, run.progress.value.records, asked.length], ['done', 0, 0], JSON.stringify(text))
  }
})

test('a run unpacks gzip, and says when what it is packed in is damaged', async () => {
  const packed = await pack('device,m\na,1\n')
  const run = runOf([packed], { packed: true })
  await run.work()
  assert.equal(asked[0].body, 'device,m\na,1\n')
  assert.deepEqual(await headOf(new Blob([packed])).then(({ packed, whole }) => [packed, whole]), [true, true])
  const rows = Array.from({ length: 3000 }, (_, i) => `a,${(i * 7919) % 10007}\n`).join('')
  const cut = (await pack('device,m\n' + rows)).slice(0, -9)
  const broken = runOf([cut], { packed: true })
  await broken.work()
  assert.equal(broken.state.value, 'failed')
  assert(broken.error instanceof ReadError && broken.error.packed)
})

test('a run unpacks gzip of several members, cut anywhere', async () => {
  const [first, second] = [await pack('device,m\na,1\nb,'), await pack('2\n')]
  const run = runOf([first, second, await pack(''), await pack('c,3')], { packed: true })
  await run.work()
  assert.equal(asked[0].body, 'device,m\na,1\nb,2\nc,3\n')
})

/** @param {string} text */
function pack(text) {
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer()
}

test('a run goes on without bad records when it skips them', async () => {
  answers = [
    () =>
      Response.json({
        accepted: 1,
        rejected_count: 1,
        rejected: [{ field: 'readings[1].values.m', reason: 'line 3: no' }],
      }),
  ]
  const run = runOf(['device,m\n\na,1\nb,x\n"c,1\n'], { skip: true })
  await run.work()
  assert.equal(asked[0].path, '/api/readings?on_error=skip')
  assert.equal(run.state.value, 'done')
  assert.deepEqual(run.progress.value.rejected, 2)
  assert.deepEqual(
    run.rejects.list.map(({ line, reason }) => [line, reason]),
    [
      [5, 'unclosed'],
      [4, 'values.m no'],
    ],
  )
})

test('a run that does not skip ends at the part with a bad record', async () => {
  answers = [refusal(422, { detail: 'no', errors: [{ field: 'readings[0].ts', reason: 'line 2: no time' }] })]
  const run = runOf(['device,ts,m\n\na,x,1\nb,1,1\n'])
  await run.work()
  assert.equal(run.state.value, 'failed')
  assert(run.error instanceof BadRecord)
  assert.deepEqual(/** @type {BadRecord} */ (run.error).span, { from: 3, to: 4 })
  assert.deepEqual(run.rejects.list, [{ line: 3, reason: 'ts no time', text: 'a,x,1' }])
  assert.equal(run.progress.value.records, 0)
})

test('a run stores what stands before quotes that are never closed', async () => {
  const run = runOf(['device,m\na,1\n"b,2\n'])
  await run.work()
  assert.equal(asked[0].body, 'device,m\na,1\n')
  assert.deepEqual([run.state.value, run.progress.value.records], ['failed', 1])
})

test('a run ends at a refusal that speaks of no record', async () => {
  answers = [refusal(422, { errors: [{ field: 'body', reason: 'has no column "device"' }] })]
  const run = runOf(['m\n1\n'], { skip: true })
  await run.work()
  assert(run.error instanceof ApiError)
  assert.equal(run.rejects.count, 0)
})

test('line protocol goes to where it is taken, with its unit, and partial writes are counted', async () => {
  answers = [refusal(422, { message: 'partial', rejected_count: 1, errors: [{ field: 'line 2', reason: 'no' }] })]
  const run = runOf(['# note\nm v=1 5\nm\nm v=2 6\n'], {
    format: 'lines',
    skip: true,
    unit: 's',
    tag: 'room, place',
    bucket: 'home',
  })
  await run.work()
  assert.equal(asked[0].path, '/api/v2/write?on_error=partial&precision=s&device_tag=room&device_tag=place&bucket=home')
  assert.equal(asked[0].body, 'm v=1 5\nm\nm v=2 6\n')
  assert.deepEqual([run.progress.value.records, run.rejects.list[0].line], [2, 3])
})

test('a run sends a part again until the server takes it', async () => {
  answers = [refusal(503, {}, { 'Retry-After': '0' }), () => null, refusal(429, {}), refusal(502, {})]
  const run = runOf(['device,m\na,1\n'])
  await run.work()
  assert.equal(run.state.value, 'done')
  assert.deepEqual([...new Set(asked.map(({ body }) => body))], ['device,m\na,1\n'])
  assert.equal(asked.length, 5)
})

test('a run takes smaller parts where the server takes no larger ones', async () => {
  const most = 40
  answers = Array.from(
    { length: 20 },
    () =>
      ({ body }) =>
        body.length > most ? refusal(413, {})() : Response.json({ accepted: 1 }),
  )
  const rows = Array.from({ length: 8 }, (_, i) => `device-${i},${i}`)
  const run = runOf([`device,m\n${rows.join('\n')}\n${'x'.repeat(most)},1`], { skip: true })
  await run.work()
  assert.equal(run.state.value, 'done')
  const taken = asked.filter(({ body }) => body.length <= most).flatMap(({ body }) => body.trim().split('\n').slice(1))
  assert.deepEqual(taken, rows)
  assert.deepEqual(
    run.rejects.list.map(({ line, reason }) => [line, reason]),
    [[10, 'long']],
  )
})

test('a run waits for the same person to sign in again, and ends for another', async () => {
  for (const [subject, state] of [
    ['admin', 'done'],
    ['guest', 'failed'],
  ]) {
    session.value = { ...session.value, state: 'in', subject: 'admin' }
    answers = [refusal(401, {})]
    const run = runOf(['device,m\na,1\n'])
    const over = run.work()
    await until(() => run.wait.value.why === 'signin')
    session.value = { ...session.value, state: 'in', subject }
    await over
    assert.equal(run.state.value, state)
  }
})

test('a run that is paused sends nothing, goes on, and is stopped', async () => {
  const run = runOf(['device,m\na,1\n'])
  run.pause()
  const over = run.work()
  await until(() => run.read > 0)
  assert.equal(asked.length, 0)
  run.resume()
  await over
  assert.deepEqual([run.state.value, asked.length], ['done', 1])

  answers = [() => null, () => null]
  const stopped = runOf(['device,m\na,1\n'])
  const end = stopped.work()
  await until(() => stopped.wait.value.why === 'away')
  stopped.stop()
  await end
  assert.deepEqual([stopped.state.value, stopped.error], ['stopped', null])
})

test('Rejects keeps the first records and counts the others', () => {
  const rejects = new Rejects()
  const one = { line: 2, reason: 'is "bad"', text: '=1+1' }
  rejects.add(5, [one])
  assert.deepEqual([rejects.count, rejects.unnamed], [5, 4])
  assert.equal(rejects.asFile('device,m'), 'device,m\n=1+1\n')
  assert.equal(rejects.asTable(), 'line,reason,text\r\n2,"is ""bad""","\'=1+1"\r\n')
  rejects.add(1, [{ ...one, text: 'x'.repeat(9 << 20) }])
  rejects.add(
    20_000,
    Array.from({ length: 20_000 }, () => ({ ...one, text: '' })),
  )
  assert.equal(rejects.count, 20_006)
  assert.equal(rejects.list.length < 10_001, true)
})

/** @param {() => boolean} condition */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}
