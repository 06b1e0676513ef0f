import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newTile, readBoard, writeBoard } from '../js/pages/boards/document.js'
import { wantedBy } from '../js/pages/boards/wanted.js'

const chart = { id: 't1', kind: 'chart', x: 0, y: 0, w: 6, h: 5, series: [{ device: 'a', metric: 'm' }] }

test('board: what is written is read', () => {
  const board = {
    name: 'Greenhouses',
    document: {
      range: '24h',
      tiles: [
        chart,
        { id: 't2', kind: 'value', x: 6, y: 0, w: 3, h: 2, selection: { tag: 'south', metric: 'm' }, range: '7d' },
        { id: 'n', kind: 'note', x: 9, y: 0, w: 3, h: 1, text: 'Vents open at 28 °C.' },
      ],
    },
  }
  assert.deepEqual(readBoard(writeBoard(/** @type {any} */ (board))), { board })
})

test('board: a file that is none says where', () => {
  const wrong = (/** @type {any} */ value) => /** @type {any} */ (readBoard(JSON.stringify(value))).wrong
  const tiles = (/** @type {any[]} */ ...list) => wrong({ name: 'x', document: { tiles: list } })
  assert.equal(/** @type {any} */ (readBoard('{')).wrong, '')
  assert.equal(wrong([]), 'name')
  assert.equal(wrong({ name: 'x' }), 'document.tiles')
  assert.equal(wrong({ name: 'x', document: { range: 'some day', tiles: [] } }), 'document.range')
  assert.equal(tiles(null), 'document.tiles[0]')
  assert.equal(tiles(chart, chart), 'document.tiles[1].id')
  assert.equal(tiles({ ...chart, kind: 'pie' }), 'document.tiles[0].kind')
  assert.equal(tiles({ ...chart, x: 8 }), 'document.tiles[0].w')
  assert.equal(tiles({ ...chart, h: 0.5 }), 'document.tiles[0].h')
  assert.equal(tiles({ ...chart, series: [{ device: 'a' }] }), 'document.tiles[0].series')
  assert.equal(tiles({ ...chart, selection: { tag: 'a' } }), 'document.tiles[0].selection')
  assert.equal(tiles({ ...chart, range: '' }), 'document.tiles[0].range')
})

test('board: a document alone is a board without a name, and tiles that lie upon another are put apart', () => {
  const read = /** @type {any} */ (readBoard(JSON.stringify({ tiles: [chart, { ...chart, id: 't2' }] })))
  assert.equal(read.board.name, '')
  assert.equal(read.board.document.tiles[1].y, 5)
})

test('board: a new tile has a name of its own and a free place', () => {
  const tile = newTile(/** @type {any[]} */ ([chart, { ...chart, id: 't3', x: 6 }]), 'value', { series: [] })
  assert.deepEqual(tile, { id: 't4', kind: 'value', x: 0, y: 5, w: 3, h: 2, series: [] })
})

test('board: one question a range, whatever tiles there are', () => {
  const series = [
    [{ device: 'b', metric: 'm' }],
    [
      { device: 'a', metric: 'n' },
      { device: 'b', metric: 'm' },
    ],
    [{ device: 'a', metric: 'm' }],
    [],
  ]
  const tiles = /** @type {any[]} */ ([{ i: 0 }, { i: 1 }, { i: 2, range: '7d' }, { i: 3, range: '1h' }])
  const wanted = wantedBy(tiles, (/** @type {any} */ { i }) => series[i])
  assert.deepEqual(
    [...wanted],
    [
      ['', { devices: ['a', 'b'], metrics: ['m', 'n'], only: ['a\nn', 'b\nm'] }],
      ['7d', { devices: ['a'], metrics: ['m'], only: ['a\nm'] }],
    ],
  )
})
