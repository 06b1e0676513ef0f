// Import: a file is chosen, looked at, and posted.

import { html, useEffect, useState } from 'preact'
import { can, session } from '../../../core/session.js'
import { Loading } from '../../../parts/states.js'
import { text } from '../../../text/en.js'
import { Chosen } from './chosen.js'
import { current } from './current.js'
import { FileButton } from '../file-button.js'
import { headOf } from '../file/reading.js'
import { Running } from './running.js'

/**
 * @typedef {object} Choice a file, and what its first bytes are
 * @property {File} file
 * @property {Uint8Array} bytes
 * @property {boolean} whole whether that is all of it
 * @property {boolean} packed
 */

export function Import() {
  const [choice, setChoice] = useState(/** @type {Choice | null} */ (null))
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const run = current.value
  const take = async (/** @type {File | undefined} */ file, notice = '') => {
    if (!file) return
    setError(notice)
    setBusy(true)
    try {
      setChoice({ file, ...(await headOf(file)) })
      current.value = null
    } catch {
      setChoice(null)
      setError(text.transfer.unreadableFile)
    }
    setBusy(false)
  }
  const over = useDrop(run && !run.over ? null : take)
  const content = () => {
    if (busy) return html`<${Loading} rows=${2} />`
    if (run) return html`<${Running} run=${run} take=${take} />`
    if (choice) return html`<${Chosen} key=${keyOf(choice.file)} choice=${choice} take=${take} />`
    return html`<${Choose} take=${take} />`
  }
  return html`<section class=${over ? 'transfer over' : 'transfer'}>
    <h2>${text.transfer.import}</h2>
    ${error && html`<p class="error" role="alert">${error}</p>`}
    ${content()}
  </section>`
}

/** @param {File} file */
function keyOf({ name, size, lastModified }) {
  return [name, size, lastModified].join('/')
}

/** @param {{take: (file: File) => void}} props */
function Choose({ take }) {
  const t = text.transfer
  const { devices } = session.value
  return html`<div class="drop"><p>${t.drop}</p><${FileButton} label=${t.choose} take=${take} primary /><small>${t.takes}</small></div>
    ${devices && html`<p class="soft">${t.covers(devices)}</p>`}
    ${!can('devices:write') && html`<p class="soft">${t.noDevices}</p>`}
    <details class="examples"><summary>${t.examples}</summary>
      ${examples.map(({ format, lines }) => html`<figure key=${format}><figcaption class="soft">${t.formatNames[format]}</figcaption><pre tabindex="0">${lines}</pre></figure>`)}
    </details>`
}

const examples = /** @type {{format: import('../file/syntax.js').Format, lines: string}[]} */ ([
  {
    format: 'csv',
    lines: 'device,ts,temperature,humidity\nroom-1,2026-11-01T12:00:00Z,21.5,48\nroom-1,2026-11-01T12:00:10Z,21.6,',
  },
  { format: 'ndjson', lines: '{"device":"room-1","ts":1793534400000,"values":{"temperature":21.5,"humidity":48}}' },
  { format: 'lines', lines: 'weather,host=room-1 temperature=21.5,humidity=48 1793534400000000000' },
])

/**
 * Takes files that are dropped anywhere on the page, which a browser would show in its place.
 * @param {((file: File, notice?: string) => void) | null} take null while nothing can be taken
 * @returns {boolean} whether a file is over the page
 */
function useDrop(take) {
  const [over, setOver] = useState(false)
  useEffect(() => {
    const drag = (/** @type {DragEvent} */ event) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      event.dataTransfer.dropEffect = take ? 'copy' : 'none'
      setOver(Boolean(take) && event.type === 'dragover')
    }
    const leave = (/** @type {DragEvent} */ event) => event.relatedTarget || setOver(false)
    const drop = (/** @type {DragEvent} */ event) => {
      drag(event)
      const files = event.dataTransfer?.files
      if (files?.length) take?.(files[0], files.length > 1 ? text.transfer.first : '')
    }
    addEventListener('dragover', drag)
    addEventListener('dragleave', leave)
    addEventListener('drop', drop)
    return () => {
      removeEventListener('dragover', drag)
      removeEventListener('dragleave', leave)
      removeEventListener('drop', drop)
    }
  }, [take])
  return over
}
