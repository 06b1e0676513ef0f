// The list of boards: one's own, and those that others share.

import { html, useState } from 'preact'
import { api } from '../../core/api.js'
import { now } from '../../core/clock.js'
import { ago } from '../../core/format.js'
import { zoneName } from '../../core/prefs.js'
import { go } from '../../core/route.js'
import { Dialog } from '../../parts/dialog.js'
import { Field, useForm } from '../../parts/form.js'
import { useLoad } from '../../parts/load.js'
import { Empty, Failure, Loading } from '../../parts/states.js'
import { text } from '../../text/en.js'
import { readBoard } from './document.js'
import { beginDraft, drafts } from './draft.js'

/** @typedef {import('./draft.js').Board} Board */

export function Boards() {
  const { data, error, since, reload } = useLoad((signal) => api.get('/api/boards', {}, signal), [])
  const [making, setMaking] = useState(false)
  const boards = /** @type {Board[]} */ (data?.boards ?? [])
  return html`<header class="page-head"><h1>${text.boards.title}</h1><div class="actions">
      <button class="primary" onClick=${() => setMaking(true)}>${text.boards.make}</button><${Import} /></div></header>
    ${error && html`<${Failure} error=${error} since=${data ? since : 0} retry=${reload} />`}
    ${!data && !error && html`<${Loading} />`}
    ${data && boards.length === 0 && html`<${Empty} title=${text.boards.empty}><p class="soft">${text.boards.emptyWhat}</p><//>`}
    <${List} name=${text.boards.own} boards=${boards.filter(({ mine }) => mine)} />
    <${List} name=${text.boards.others} boards=${boards.filter(({ mine }) => !mine)} />
    ${making && html`<${Make} onClose=${() => setMaking(false)} />`}`
}

/** @param {{name: string, boards: Board[]}} props */
function List({ name, boards }) {
  if (!boards.length) return null
  return html`<section class="board-list"><h2>${name}</h2><ul class="rows">${boards.map(
    ({
      id,
      name,
      owner,
      mine,
      shared,
      updated_at,
    }) => html`<li key=${id}><a class="name" href=${'/boards/' + id}>${name}</a>
      ${drafts.value.has(id) && html`<small class="unsaved">${text.boards.unsaved}</small>`}
      <small>${mine ? shared && text.boards.isShared : text.boards.of(owner)}</small>
      <small class="when">${text.boards.changed(ago(Date.parse(updated_at), now.value, zoneName()))}</small>
      <a class="button" href=${`/boards/${id}?wall`} aria-label=${`${text.boards.wall}: ${name}`}>${text.boards.wall}</a></li>`,
  )}</ul></section>`
}

/** @param {{onClose: () => void}} props */
function Make({ onClose }) {
  const form = useForm(async (data) =>
    open(await make(String(data.get('name')), data.get('shared') === 'on', { tiles: [] })),
  )
  return html`<${Dialog} title=${text.boards.make} onClose=${onClose}><form onSubmit=${form.onSubmit}>
    <${Field} label=${text.boards.name} name="name" maxlength="100" required autofocus error=${form.errorOf('name')} />
    <label class="check"><input type="checkbox" name="shared" /> ${text.boards.sharedField}</label>
    ${form.rest('name') && html`<p class="error" role="alert">${form.rest('name')}</p>`}
    <div class="actions"><button class="primary" disabled=${form.busy}>${text.boards.makeIt}</button><button type="button" onClick=${onClose}>${text.action.cancel}</button></div>
  </form><//>`
}

/**
 * @param {string} name
 * @param {boolean} shared
 * @param {import('./document.js').Document} document
 * @returns {Promise<Board>}
 */
function make(name, shared, document) {
  return api.post('/api/boards', { name: name.trim(), shared, document })
}

/** @param {Board} board */
function open(board) {
  beginDraft(board)
  go('/boards/' + board.id)
}

function Import() {
  const [wrong, setWrong] = useState('')
  const form = useForm(async (data) => {
    const file = /** @type {File} */ (data.get('file'))
    const read = readBoard(await file.text())
    if ('wrong' in read) return setWrong(text.boards.noBoard(file.name, read.wrong))
    setWrong('')
    const { name, document } = read.board
    const made = await make(name || file.name.replace(/\.json$/i, '').slice(0, 100), false, document)
    go('/boards/' + made.id)
  })
  const take = (/** @type {any} */ event) => {
    event.target.form.requestSubmit()
    event.target.value = ''
  }
  return html`<form class="import" onSubmit=${form.onSubmit}>
    <label class="button">${text.boards.import}<input class="visually-hidden" type="file" name="file" accept=".json,application/json" onChange=${take} /></label>
    ${(wrong || form.failed) && html`<p class="error" role="alert">${wrong || form.rest()}</p>`}
  </form>`
}
