// An import under way, and how it has ended.

import { html } from 'preact'
import { now } from '../../../core/clock.js'
import { bytes, duration, number } from '../../../core/format.js'
import { text } from '../../../text/en.js'
import { useArrival } from '../arrival.js'
import { FileButton } from '../file-button.js'
import { endOf } from './ending.js'
import { RejectList } from './rejected.js'

/** @typedef {import('./run.js').Run} Run */

/** @param {{run: Run, take: (file: File) => void}} props */
export function Running({ run, take }) {
  const t = text.transfer
  const here = useArrival()
  const { read } = run.progress.value
  return html`<div class="running">
    <p class="file" tabindex="-1" ref=${here}><strong>${run.file.name}</strong> <span class="soft">${t.formatNames[run.options.format]}</span></p>
    <progress aria-label=${t.progress} max=${run.file.size || 1} value=${run.state.value === 'done' ? run.file.size || 1 : read} />
    <${Figures} run=${run} />
    ${run.over ? html`<${End} run=${run} take=${take} />` : html`<${Course} run=${run} />`}
    <${RejectList} run=${run} />
  </div>`
}

/** @param {{run: Run}} props */
function Figures({ run }) {
  const t = text.transfer
  const { read, records, readings, rejected, ms } = run.progress.value
  const { size } = run.file
  const lines = t.stored(records, number(records))
  const share = read / size
  const left = (ms / share) * (1 - share)
  const moving = run.state.value === 'working' && !run.wait.value.why && ms > 2000 && records > 0
  const figures = [
    t.of(bytes(read), bytes(size)),
    readings ? t.storedReadings(lines, readings, number(readings)) : lines,
    rejected > 0 && run.options.skip && t.rejected(rejected, number(rejected)),
    ms > 500 && records > 0 && t.rate(number(roundly((1000 * records) / ms))),
    moving && left > 1500 && t.left(duration(left)),
  ]
  return html`<ul class="tally">${figures.filter(Boolean).map((one, i) => html`<li key=${i}>${one}</li>`)}</ul>`
}

/** To two digits: more of a rate would only flicker. @param {number} n */
function roundly(n) {
  return n < 1 ? 0 : Number(n.toPrecision(2))
}

/** @param {{run: Run}} props */
function Course({ run }) {
  const t = text.transfer
  const paused = run.state.value === 'paused'
  const { why, until } = run.wait.value
  void now.value // which has the seconds count down
  const said = paused ? t.paused : { '': t.working, away: t.away, busy: t.busy, signin: t.signIn }[why]
  return html`<p class=${why && !paused ? 'late' : 'soft'}><span role="status">${said}</span>
      ${until > 0 && !paused && html` <span aria-hidden="true">${t.trying(duration(until - Date.now()))}</span>`}</p>
    <div class="actions">
      ${paused ? html`<button class="primary" onClick=${() => run.resume()}>${t.resume}</button>` : html`<button onClick=${() => run.pause()}>${t.pause}</button>`}
      <button onClick=${() => run.stop()}>${t.stop}</button></div>`
}

/** @param {{run: Run, take: (file: File) => void}} props */
function End({ run, take }) {
  const t = text.transfer
  const { said, more, settings } = endOf(run)
  const here = useArrival()
  const failed = run.state.value === 'failed'
  return html`<div tabindex="-1" ref=${here} role=${failed ? 'alert' : 'status'} class=${failed ? 'end failure' : 'end'}><p>${said}</p>${more && html`<p class="soft">${more}</p>`}</div>
    <div class="actions">
      ${run.state.value === 'done' && run.progress.value.records > 0 && html`<a class="button primary" href="/devices">${t.see}</a>`}
      ${settings && html`<button class="primary" onClick=${() => take(run.file)}>${t.settings}</button>`}
      <${FileButton} label=${t.another} take=${take} />
    </div>`
}
