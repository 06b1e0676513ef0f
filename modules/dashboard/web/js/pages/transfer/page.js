// Import and export of readings as files.

import { html } from 'preact'
import { can } from '../../core/session.js'
import { Empty } from '../../parts/states.js'
import { text } from '../../text/en.js'
import { Export } from './export/exporting.js'
import { Import } from './import/import.js'

export function Transfer() {
  const [write, read] = [can('readings:write'), can('readings:read')]
  return html`<h1>${text.transfer.title}</h1>
    ${!write && !read && html`<${Empty} title=${text.transfer.forbidden} />`}
    ${write && html`<${Import} />`}
    ${read && html`<${Export} />`}`
}
