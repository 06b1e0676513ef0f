// The few pictures of the page, drawn in the colour of the text beside them.

import { html } from 'preact'

const paths = {
  devices: 'M3 13.5l3.5-5 3 3 4-6 3.5 8M3 17h14',
  boards: 'M3 3h6v8H3zM11 3h6v4h-6zM11 9h6v8h-6zM3 13h6v4H3z',
  compare: 'M3 7c4-6 6 6 14-1M3 14c5-4 9 4 14-3',
  transfer: 'M6 3v12m0 0l-3-3m3 3l3-3M14 17V5m0 0l-3 3m3-3l3 3',
  operations: 'M3 14a7 7 0 0114 0M10 14l3.5-5M3 17h14',
  users: 'M10 10a3.2 3.2 0 100-6.4 3.2 3.2 0 000 6.4zM4 17c0-6 12-6 12 0',
  keys: 'M12.5 11.5a4 4 0 10-4-4l-5.500 5.500v3h3l2-2v-1.500h1.500z',
  account: 'M10 10a3.2 3.2 0 100-6.4 3.2 3.2 0 000 6.4zM4 17c0-6 12-6 12 0',
  more: 'M4 6h12M4 10h12M4 14h12',
}

/** @param {{name: keyof typeof paths}} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><path d=${paths[name]} /></svg>`
}
