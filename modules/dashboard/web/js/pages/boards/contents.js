// What is in a tile.

import { html, useEffect, useMemo, useRef, useState } from 'preact'
import { Chart } from '../../chart/chart.js'
import { shadesOf } from '../../chart/colours.js'
import { keyOf } from '../../chart/history.js'
import { Spark } from '../../chart/spark.js'
import { States } from '../../chart/states.js'
import { now } from '../../core/clock.js'
import { ago, decimalsOf, quantity } from '../../core/format.js'
import { zone, zoneName } from '../../core/prefs.js'
import { rangeAt } from '../../core/range.js'
import { devicePath } from '../../core/route.js'
import { text } from '../../text/en.js'
import { labelling } from './names.js'

/** @typedef {import('./document.js').Series} Series */

/**
 * @typedef {object} ContentProps
 * @property {Series[]} series
 * @property {import('./source.js').Source} source
 * @property {import('./latest.js').Latest} latest
 */

const least = 72 // px of a plot
const beside = '.chart > figcaption, .chart > .foot'

/** @param {ContentProps} props */
export function ChartContent({ series, source, latest }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  const history = source.history
  const loads = history.loads.value
  const units = groupsOf(series, (key) => history.series.get(key)?.unit ?? latest.newest.get(key)?.unit ?? '')
  const room = useRoom(box, units.map(([unit, list]) => unit + list.length).join() + loads)
  return html`<div class="charts" ref=${box}>
    ${units.map(([unit, list]) => html`<${Chart} key=${unit} history=${history} series=${list} view=${source.view} height=${room} names />`)}
  </div>`
}

/**
 * @param {Series[]} series
 * @param {(key: string) => string} unitOf
 * @returns {[string, Series[]][]}
 */
function groupsOf(series, unitOf) {
  /** @type {Map<string, Series[]>} */
  const groups = new Map()
  for (const one of series) {
    const unit = unitOf(keyOf(one.device, one.metric))
    groups.set(unit, [...(groups.get(unit) ?? []), one])
  }
  return [...groups]
}

/**
 * How high each plot can be, so that all charts of a tile fill it.
 * @param {import('preact').RefObject<HTMLElement | null>} box
 * @param {string} of what is in it
 */
function useRoom(box, of) {
  const [room, setRoom] = useState(least)
  useEffect(() => {
    const element = box.current
    if (!element) return undefined
    const measure = () => {
      const charts = element.querySelectorAll('.chart')
      let rest = element.clientHeight
      for (const part of element.querySelectorAll(beside)) rest -= /** @type {HTMLElement} */ (part).offsetHeight
      setRoom(Math.max(least, Math.floor(rest / Math.max(1, charts.length)) - 4))
    }
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    for (const part of element.querySelectorAll(beside)) observer.observe(part)
    return () => observer.disconnect()
  }, [of, box.current])
  return room
}

/**
 * The newest value of a series: of the range when that is over, else of all times.
 * @param {ContentProps} props
 */
function useNewest({ series, source, latest }) {
  void latest.revision.value
  const history = source.history
  void history.revision.value
  const live = source.view.range.value.last > 0
  return series.map((one) => {
    const key = keyOf(one.device, one.metric)
    const points = history.series.get(key)?.points
    const known = latest.newest.get(key)
    const at = (points?.length ?? 0) - 1
    const unit = history.series.get(key)?.unit ?? known?.unit ?? ''
    const newest =
      live || at < 0 ? (live ? known : undefined) : { ts: points?.ts[at] ?? 0, value: points?.values[at] ?? null }
    return {
      key,
      one,
      points,
      unit,
      ts: newest?.ts ?? null,
      value: newest?.value ?? null,
      decimals: digits(points, known),
    }
  })
}

/**
 * @param {import('../../chart/points.js').Points | undefined} points
 * @param {{value: number} | undefined} known
 */
function digits(points, known) {
  const values = points && !points.width ? points.values.slice(-20) : []
  return decimalsOf(known ? [...values, known.value] : values)
}

/** @param {ContentProps} props */
export function ValueContent(props) {
  const { series, source } = props
  const list = useNewest(props)
  const label = labelling(series)
  const { from, to } = rangeAt(source.view.range.value, now.value)
  const shades = shadesOf(list.map(({ key }) => key))
  return html`<ul class=${list.length === 1 ? 'values one' : 'values'}>
    ${list.map(
      ({ key, one, points, unit, ts, value, decimals }, i) => html`<li key=${key}>
      ${list.length > 1 && html`<a class="label" href=${devicePath(one.device)}>${label(one)}</a>`}
      <output>${quantity(value, unit, decimals)}</output>
      <${Line} points=${points} from=${from} to=${to} shade=${shades[i]} />
      <small>${ts === null ? text.boards.nothingYet : ago(ts, now.value, zone.value && zoneName())}</small></li>`,
    )}</ul>`
}

const shown = 120 // points of a sparkline

/** @param {{points: import('../../chart/points.js').Points | undefined, from: number, to: number, shade: number}} props */
function Line({ points, from, to, shade }) {
  const list = useMemo(() => thinned(points), [points, points?.length, Math.floor(to / 5000)])
  return html`<${Spark} points=${list} from=${from} to=${to} shade=${shade} width=${120} height=${28} />`
}

/**
 * @param {import('../../chart/points.js').Points | undefined} points
 * @returns {[number, number | null][]}
 */
function thinned(points) {
  if (!points) return []
  const step = Math.max(1, Math.ceil(points.length / shown))
  /** @type {[number, number | null][]} */
  const list = []
  for (let i = (points.length - 1) % step; i >= 0 && i < points.length; i += step)
    list.push([points.ts[i], points.values[i]])
  return list
}

/** @param {ContentProps} props */
export function StatesContent({ series, source }) {
  const history = source.history
  void history.revision.value
  const zoned = zone.value && zoneName()
  const { from, to } = rangeAt(source.view.range.value, now.value)
  const label = labelling(series)
  return html`<ul class="state-rows">${series.map((one) => {
    const found = history.series.get(keyOf(one.device, one.metric))
    return html`<li key=${keyOf(one.device, one.metric)}><a class="label" href=${devicePath(one.device)}>${label(one)}</a>
      ${found ? html`<${States} shown=${found} from=${from} to=${to} zone=${zoned} />` : html`<small>${text.chart.noReadings}</small>`}</li>`
  })}</ul>`
}

/** @param {ContentProps} props */
export function TableContent(props) {
  const list = useNewest(props)
  const label = labelling(props.series)
  const zoned = zone.value && zoneName()
  return html`<div class="rows-of" tabindex="0" role="region" aria-label=${text.boards.newest}><table>
    <thead><tr><th scope="col">${text.boards.series}</th><th scope="col" class="number">${text.chart.value}</th><th scope="col" class="number">${text.chart.time}</th></tr></thead>
    <tbody>${list.map(
      ({
        key,
        one,
        unit,
        ts,
        value,
        decimals,
      }) => html`<tr key=${key}><td><a href=${devicePath(one.device)}>${label(one)}</a></td>
      <td class="number">${quantity(value, unit, decimals)}</td><td class="number"><small>${ago(ts, now.value, zoned)}</small></td></tr>`,
    )}</tbody></table></div>`
}

/** @param {{words: string}} props plain text; addresses in it become links */
export function NoteContent({ words }) {
  const parts = words.split(/(https?:\/\/[^\s<>"]+)/)
  return html`<p class="note">${parts.map((part, i) => (i % 2 ? html`<a href=${part} target="_blank" rel="noopener noreferrer">${part}</a>` : part))}</p>`
}
