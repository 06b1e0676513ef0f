// What tiles and their series are called.

import { deviceNames } from '../../parts/known.js'
import { text } from '../../text/en.js'

/** @typedef {import('./document.js').Tile} Tile */

/**
 * A tile's title, or what it shows.
 * @param {Tile} tile
 * @returns {string}
 */
export function tileName({ title, kind, series = [], selection }) {
  if (title) return title
  if (kind === 'note') return text.boards.note
  if (selection) return text.boards.selected(selection.metric, selection.tag ? '#' + selection.tag : selection.device)
  if (series.length === 1) return `${deviceName(series[0].device)} ${series[0].metric}`
  const metrics = new Set(series.map(({ metric }) => metric))
  const devices = new Set(series.map(({ device }) => device))
  if (metrics.size === 1) return text.boards.devices(series[0].metric, devices.size)
  return devices.size === 1 ? deviceName(series[0].device) : text.boards.several(series.length)
}

/** @param {string} id */
export function deviceName(id) {
  return deviceNames.value.get(id) || id
}

/**
 * What tells the series of a tile apart: devices, metrics, or both.
 * @param {import('./document.js').Series[]} series
 * @returns {(one: import('./document.js').Series) => string}
 */
export function labelling(series) {
  const devices = new Set(series.map(({ device }) => device)).size
  const metrics = new Set(series.map(({ metric }) => metric)).size
  return ({ device, metric }) =>
    metrics === 1 && devices > 1
      ? deviceName(device)
      : devices === 1 && metrics > 1
        ? metric
        : `${deviceName(device)} ${metric}`
}
