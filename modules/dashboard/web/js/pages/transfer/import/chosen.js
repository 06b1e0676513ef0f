// A file that has been chosen: what it is, how it is to be imported, and its first lines.

import { html, useMemo, useState } from 'preact'
import { bytes, time } from '../../../core/format.js'
import { zoneName } from '../../../core/prefs.js'
import { Field } from '../../../parts/form.js'
import { text } from '../../../text/en.js'
import { begin } from './current.js'
import { useArrival } from '../arrival.js'
import { FileButton } from '../file-button.js'
import { Preview } from './preview.js'
import { Select } from '../select.js'
import { databaseOf, formats, recognise } from '../file/recognise.js'
import { sampleOf } from '../file/sample.js'
import { instantOf, unitOf, units } from '../file/units.js'

/** @typedef {import('../file/syntax.js').Format} Format */
/** @typedef {import('../file/units.js').Unit} Unit */

const hopeless = ['empty', 'binary', 'zip', 'utf16'] // whatever the format is

/** @param {{choice: import('./import.js').Choice, take: (file: File) => void}} props */
export function Chosen({ choice, take }) {
  const { file, bytes: head, whole, packed } = choice
  const here = useArrival()
  const found = useMemo(() => recognise(file.name, head), [choice])
  const [format, setFormat] = useState(found.format)
  const [chosenUnit, setUnit] = useState(/** @type {Unit} */ (''))
  const sample = useMemo(() => (format ? sampleOf(format, head, whole) : null), [choice, format])
  const t = text.transfer
  const unit = chosenUnit || sample?.unit || (format === 'lines' ? 'ns' : 'ms')
  const counted = format === 'lines' || (sample !== null && sample.unit !== '')
  const wrong = found.problem && (hopeless.includes(found.problem) || format === found.format || !format)
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    if (!format) return
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget))
    const skip = form.get('bad') === 'skip'
    begin(file, {
      format,
      packed,
      skip,
      unit: counted ? unit : '',
      tag: String(form.get('tag') ?? ''),
      bucket: databaseOf(head),
    })
  }
  return html`<form class="chosen-file" onSubmit=${submit}>
    <p class="file" tabindex="-1" ref=${here}><strong>${file.name}</strong> <span class="soft">${[bytes(file.size), packed && t.packed].filter(Boolean).join(', ')}</span></p>
    ${wrong && html`<p class="error" role="alert">${t.problems[/** @type {'empty'} */ (found.problem)]}</p>`}
    ${
      !hopeless.includes(found.problem) &&
      html`<div class="settings">
      <${Select} label=${t.format} name="format" value=${format} choose=${setFormat} options=${formatOptions(format)} />
      ${counted && sample && html`<${UnitChoice} sample=${sample} unit=${unit} choose=${setUnit} />`}
      ${format === 'lines' && html`<${Field} label=${t.tag} hint=${t.tagHint} name="tag" autocomplete="off" spellcheck=${false} autocapitalize="none" />`}
      <${WhenBad} />
    </div>
    ${sample && !sample.time && sample.rows.length > 0 && !wrong && html`<p class="notice">${t.noTimes}</p>`}`
    }
    <div class="actions">${!hopeless.includes(found.problem) && html`<button class="primary" disabled=${!format || (wrong && found.problem !== 'unknown')}>${t.start}</button>`}
      <${FileButton} label=${t.other} take=${take} primary=${hopeless.includes(found.problem)} /></div>
    ${sample && !hopeless.includes(found.problem) && html`<${Preview} sample=${sample} format=${format} />`}
  </form>`
}

/** @param {Format | ''} format */
function formatOptions(format) {
  const options = formats.map((one) => ({ value: one, name: text.transfer.formatNames[one] }))
  return format ? options : [{ value: '', name: text.transfer.chooseFormat }, ...options]
}

/** @param {{sample: import('../file/sample.js').Sample, unit: Unit, choose: (unit: Unit) => void}} props */
function UnitChoice({ sample, unit, choose }) {
  const t = text.transfer
  const options = units.map((one) => ({ value: one, name: t.units[one] }))
  return html`<${Select} label=${t.unit} name="unit" value=${unit} choose=${choose} options=${options} hint=${firstTime(sample.time, unit)} />`
}

/**
 * @param {string} written
 * @param {Unit} unit
 */
function firstTime(written, unit) {
  const t = text.transfer
  const ms = instantOf(written, unit)
  if (!written || Number.isNaN(ms)) return ''
  return t.firstTime(written, unitOf(written) === unit ? time(ms, 'moment', zoneName()) : t.strangeTime)
}

function WhenBad() {
  const t = text.transfer
  return html`<fieldset class="bad"><legend>${t.bad}</legend>
    <label class="check"><input type="radio" name="bad" value="stop" defaultChecked=${true} /> ${t.stopThere}</label>
    <label class="check"><input type="radio" name="bad" value="skip" /> ${t.skipIt}</label>
    <small>${t.stopHint}</small></fieldset>`
}
