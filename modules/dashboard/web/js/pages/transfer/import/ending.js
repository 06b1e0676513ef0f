// How an import has ended, in words, and what to do next.

import { ApiError } from '../../../core/api.js'
import { duration, number } from '../../../core/format.js'
import { reason } from '../../../parts/states.js'
import { text } from '../../../text/en.js'
import { likelyUnit } from './answer.js'
import { OtherPerson } from './post.js'
import { ReadError } from '../file/reading.js'
import { BadRecord } from './sending.js'

/**
 * @param {import('./run.js').Run} run which is over
 * @returns {{said: string, more: string, settings: boolean}} settings says that others may help
 */
export function endOf(run) {
  const t = text.transfer
  const { records, rejected, line, ms } = run.progress.value
  // The unit can be chosen where the first lines have a count.
  const unit = run.options.unit && run.rejects.list.map((one) => likelyUnit(one.reason)).find(Boolean)
  const next = unit ? t.looksLike(t.units[/** @type {'s'} */ (unit)]) : ''
  const state = run.state.value
  if (state === 'done') {
    const nothing = records === 0 && rejected === 0
    return {
      said: nothing ? t.nothing : t.done(ms < 1000 ? '' : duration(ms)),
      more: next,
      settings: Boolean(next) || (nothing && run.file.size > 0),
    }
  }
  const stored = `${records ? t.upTo(number(line)) : t.upToNothing} ${t.again}`
  if (state === 'stopped') return { said: t.stopped, more: stored, settings: true }
  const { error } = run
  if (error instanceof BadRecord) {
    const first = firstOf(run, error)
    const { from, to } = error.span
    const more = [
      t.nothingBetween(number(from), number(to)),
      records > 0 && t.before(records, number(records)),
      next || t.mend,
    ]
      .filter(Boolean)
      .join(' ')
    return { said: t.ended(number(first)), more, settings: true }
  }
  return { said: whyOf(error), more: stored, settings: true }
}

/**
 * The line of the first bad record of the part that ended the import.
 * @param {import('./run.js').Run} run
 * @param {BadRecord} error
 */
function firstOf(run, { span }) {
  return run.rejects.list.find(({ line }) => line >= span.from)?.line ?? span.from
}

/** @param {Error | null} error */
function whyOf(error) {
  const t = text.transfer
  if (error instanceof ReadError) return error.packed ? t.damaged : t.unreadableFile
  if (error instanceof OtherPerson) return t.otherPerson
  if (error instanceof ApiError) return error.status === 403 ? t.forbiddenReadings(error.message) : reason(error)
  return t.broken(error?.message ?? '')
}
