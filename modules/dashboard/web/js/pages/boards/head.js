// The head of a board: what can be done with it, and, while it is changed, its name and what becomes of the changes.

import { html, useEffect, useState } from 'preact'
import { api } from '../../core/api.js'
import { ago } from '../../core/format.js'
import { now } from '../../core/clock.js'
import { zoneName } from '../../core/prefs.js'
import { go } from '../../core/route.js'
import { Dialog } from '../../parts/dialog.js'
import { Field } from '../../parts/form.js'
import { Menu } from '../../parts/menu.js'
import { reason } from '../../parts/states.js'
import { text } from '../../text/en.js'
import { beginDraft, endDraft } from './draft.js'
import { writeBoard } from './document.js'

/** @param {{board: import('./draft.js').Board, reload: () => void}} props */
export function Viewing({ board, reload }) {
  const { name, owner, mine, editable, shared } = board
  const [asked, setAsked] = useState(false)
  const [failed, setFailed] = useState(/** @type {Error | null} */ (null))
  const remove = () => api.remove('/api/boards/' + board.id).then(() => go('/boards'), setFailed)
  const copy = () =>
    api.post('/api/boards', { name: text.boards.copyOf(name).slice(0, 100), document: board.document }).then((made) => {
      beginDraft(made)
      go('/boards/' + made.id)
    }, setFailed)
  const share = () =>
    api
      .put('/api/boards/' + board.id, { version: board.version, name, shared: !shared, document: board.document })
      .then(reload, setFailed)
  return html`<header class="page-head">
      <div><h1>${name}</h1><small>${mine ? text.boards.mine(shared) : text.boards.of(owner)}, ${text.boards.changed(ago(Date.parse(board.updated_at), now.value, zoneName()))}</small></div>
      <div class="actions">
        ${editable && html`<button class="primary" onClick=${() => beginDraft(board)}>${text.boards.arrange}</button>`}
        <a class="button" href=${`/boards/${board.id}?wall`}>${text.boards.wall}</a>
        <${Menu} label=${text.boards.moreActions}>
          ${editable && html`<button onClick=${share}>${shared ? text.boards.unshare : text.boards.share}</button>`}
          <button onClick=${copy}>${text.boards.duplicate}</button>
          <button onClick=${() => download(board)}>${text.boards.export}</button>
          ${editable && html`<button class="danger" onClick=${() => setAsked(true)}>${text.action.remove}</button>`}
        <//>
      </div>
    </header>
    ${failed && html`<p class="error" role="alert">${reason(failed)}</p>`}
    ${
      asked &&
      html`<${Dialog} title=${text.boards.removeTitle(name)} onClose=${() => setAsked(false)}>
      <p>${text.boards.removeWhat(shared)}</p>
      <div class="actions"><button class="danger" onClick=${remove}>${text.action.remove}</button><button onClick=${() => setAsked(false)}>${text.action.cancel}</button></div><//>`
    }`
}

/** @param {import('./draft.js').Board} board */
export function download(board) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([writeBoard(board)], { type: 'application/json' }))
  link.download = board.name.replace(/[^\p{L}\p{N}._ -]+/gu, '-') + '.json'
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

/** @param {{draft: import('./draft.js').Draft, reload: () => void}} props */
export function Arranging({ draft, reload }) {
  const save = () => void draft.save().then((saved) => saved && reload())
  const give = () => (endDraft(draft.id), reload())
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== 's') return
      event.preventDefault()
      save()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [draft])
  const set = (/** @type {'name' | 'range'} */ what) => (/** @type {any} */ event) => {
    draft[what].value = event.target.value
    draft.dirty.value = true
  }
  const share = () => {
    draft.shared.value = !draft.shared.value
    draft.dirty.value = true
  }
  return html`<header class="page-head">
      <h1 class="visually-hidden">${text.boards.arrangeTitle(draft.name.value)}</h1>
      <div class="fields">
        <${Field} label=${text.boards.name} value=${draft.name.value} maxlength="100" required onInput=${set('name')} />
        <label class="check"><input type="checkbox" checked=${draft.shared.value} onChange=${share} /> ${text.boards.sharedField}</label>
      </div>
      <div class="actions">
        <button disabled=${!draft.before.value.length} onClick=${() => draft.undo()}>${text.boards.undo}</button>
        <button onClick=${give}>${draft.dirty.value ? text.boards.giveUp : text.action.close}</button>
        <button class="primary" disabled=${draft.busy.value || !draft.dirty.value || !draft.name.value.trim()} onClick=${save}>${text.action.save}</button>
      </div>
    </header>
    ${draft.failed.value && html`<p class="error" role="alert">${reason(draft.failed.value)}</p>`}
    <p id="arranging" class="soft arranging">${text.boards.arranging}</p>
    <p class="visually-hidden" role="status">${draft.said.value}</p>
    ${draft.conflict.value && html`<${Conflict} draft=${draft} reload=${reload} />`}`
}

/** @param {{draft: import('./draft.js').Draft, reload: () => void}} props */
function Conflict({ draft, reload }) {
  const close = () => (draft.conflict.value = false)
  const load = () => (endDraft(draft.id), reload())
  const overwrite = () => {
    close()
    void draft.save({ overwrite: true }).then((saved) => saved && reload())
  }
  return html`<${Dialog} title=${text.boards.conflict} onClose=${close}>
    <p>${text.boards.conflictWhat}</p>
    <div class="actions"><button class="primary" onClick=${load}>${text.boards.loadTheirs}</button><button class="danger" onClick=${overwrite}>${text.boards.overwrite}</button>
      <button onClick=${close}>${text.boards.goOn}</button></div><//>`
}
