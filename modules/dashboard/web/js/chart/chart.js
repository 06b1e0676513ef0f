// A chart of one or more series of one unit: read-out, lines or states, what is behind them as a table.

import { computed, html, useEffect, useMemo, useRef, useSignal, signal } from 'preact'
import { duration } from '../core/format.js'
import { scheme, zone, zoneName } from '../core/prefs.js'
import { text } from '../text/en.js'
import { shadesOf } from './colours.js'
import { draw } from './drawing.js'
import { keyOf } from './history.js'
import { kindOf, shownAs } from './kind.js'
import { Points } from './points.js'
import { Readout } from './readout.js'
import { useSeen } from './seen.js'
import { sentence } from './sentence.js'
import { PointTable } from './table.js'
import { useBusy, useTurn } from './turn.js'
import { Value } from './value.js'

/**
 * @typedef {object} ChartProps
 * @property {import('./history.js').History} history
 * @property {{device: string, metric: string}[]} series of one unit
 * @property {import('./view.js').View} view
 * @property {import('./kind.js').Kind} [kind]
 * @property {number} [height] px, of lines
 * @property {boolean} [names] whether the read-out names the devices
 * @property {any} [empty] what stands in place of lines when there are no points
 * @property {any} [menu] what stands at the right of the head
 */

const tableShown = signal(/** @type {string} */ (''))
const nothing = new Points()

/** @param {ChartProps} props */
export function Chart({
  history,
  series,
  view,
  kind = 'auto',
  height = 180,
  names = false,
  empty = text.chart.noReadings,
  menu,
}) {
  const frame = useRef(/** @type {HTMLElement | null} */ (null))
  const seen = useSeen(frame)
  const cursor = useSignal(/** @type {number | null} */ (null)) // Unix ms
  const keys = series.map(({ device, metric }) => keyOf(device, metric))
  const id = keys.join()
  const zoned = zone.value && zoneName()
  const shades = shadesOf(keys)
  const turn = useTurn(history, seen)
  const undrawn = useSignal(false)
  const busy = useBusy(history, turn, undrawn)
  const classes = useMemo(() => computed(() => (history.failed.value ? 'chart stale' : 'chart')), [history])
  const { loads, revision } = turn.value
  const as = useMemo(
    () =>
      kindOf(
        kind,
        keys.map((key) => history.series.get(key)),
      ),
    [history, id, kind, loads],
  )
  const shown = keys.map((key) => shownAs(history.series.get(key), as))
  const words = useMemo(() => sentence(shown, zoned), [history, id, as, loads, zoned])
  const some = shown.some((one) => one && one.points.length > 0)
  const tall = as === 'bands' ? 36 + 24 * keys.length : height
  const look = { history, keys, shades, view, height: tall, kind: as, zone: zoned, cursor, seen, undrawn }
  return html`<figure class=${classes} aria-busy=${busy} ref=${frame}>
    <${Readout} shown=${shown} series=${series} shades=${shades} cursor=${cursor} names=${names} zone=${zoned} kind=${as}
      turn=${revision}>${menu}<//>
    <p class="visually-hidden">${words}</p>
    ${
      as === 'value'
        ? html`<${Value} shown=${shown} shades=${shades} view=${view} />`
        : html`<div class="area" style=${{ minHeight: `${tall}px` }}>
            ${some ? html`<${Lines} ...${look} />` : html`<${Blank} waiting=${busy}>${loads > 0 && empty}<//>`}
          </div>`
    }
    ${some ? html`<${Foot} id=${id} shown=${shown} zone=${zoned} aggregate=${history.aggregate} />` : html`<div class="foot"></div>`}
  </figure>`
}

/** @param {{waiting: import('preact').ReadonlySignal<boolean>, children?: any}} props */
function Blank({ waiting, children }) {
  return html`<div class=${waiting.value ? 'blank waiting' : 'blank'}>${!waiting.value && children}</div>`
}

/** @param {any} look see Drawing */
function Lines({ history, keys, shades, view, height, kind, zone, cursor, seen, undrawn }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null))
  const read = () => {
    void history.revision.value
    return keys.map((/** @type {string} */ key) => shownAs(history.series.get(key), kind)?.points ?? nothing)
  }
  useEffect(
    () =>
      draw(/** @type {HTMLElement} */ (box.current), { read, shades, view, height, kind, zone, cursor, seen, undrawn }),
    [history, keys.join(), view, height, kind, zone, scheme.value],
  )
  return html`<div class="plot" ref=${box} aria-hidden="true"></div>`
}

/** @param {{id: string, shown: any[], zone: string, aggregate: import('./ask.js').Aggregate}} props */
function Foot({ id, shown, zone, aggregate }) {
  const open = tableShown.value === id
  const width = shown.find((one) => one !== undefined).points.width
  return html`<div class="foot">
      <button class="quiet table-switch" aria-expanded=${open} onClick=${() => (tableShown.value = open ? '' : id)}>
        ${open ? text.chart.hideTable : text.chart.showTable}</button>
      ${width > 0 && html`<small title=${text.chart.averageTitle}>${text.chart.average(duration(width), text.chart.aggregates[aggregate])}</small>`}
    </div>
    ${open && html`<${PointTable} shown=${shown} zone=${zone} />`}`
}
