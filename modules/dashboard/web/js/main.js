// The page: signs in, and shows what the address bar says.

import { html, render, useEffect, useState } from 'preact'
import { offerRecord } from './chart/record.js'
import { startClock } from './core/clock.js'
import { applyTheme } from './core/prefs.js'
import { route, startRoutes } from './core/route.js'
import { keepSession, loadSession, session } from './core/session.js'
import { startTitles } from './core/title.js'
import { whenRefused } from './live/live.js'
import { Account } from './pages/account.js'
import { Compare } from './pages/compare/page.js'
import { Board } from './pages/boards/board.js'
import { Boards } from './pages/boards/list.js'
import { Wall } from './pages/boards/wall.js'
import { Device } from './pages/device/page.js'
import { Devices } from './pages/devices.js'
import { SignIn } from './pages/signin.js'
import { Later } from './parts/later.js'
import { Shell } from './parts/shell.js'
import { Empty, Failure, Loading } from './parts/states.js'
import { text } from './text/en.js'

function App() {
  const [error, setError] = useState(/** @type {Error | null} */ (null))
  const load = () => void loadSession().then(() => setError(null), setError)
  useEffect(load, [])
  useEffect(() => {
    const timer = error ? setTimeout(load, 5000) : undefined // a wall display has no visitor to press a button
    return () => clearTimeout(timer)
  }, [error])
  if (session.value.state === 'out') return html`<${SignIn} />`
  if (error) return html`<main><${Failure} error=${error} retry=${load} /></main>`
  if (session.value.state !== 'in') return html`<main><${Loading} /></main>`
  const { parts, query } = route.value
  if (parts[0] === 'boards' && parts[1] && query.has('wall')) return html`<${Wall} key=${parts[1]} id=${parts[1]} />`
  return html`<${Shell}><${Page} /><//>`
}

function Page() {
  const [first = 'devices', second] = route.value.parts
  switch (first) {
    case 'devices':
    case 'signin':
      return second ? html`<${Device} key=${second} id=${second} />` : html`<${Devices} />`
    case 'compare':
      return html`<${Compare} />`
    case 'import':
    case 'keys':
    case 'operations':
    case 'users':
      return html`<${Later} name=${first} />`
    case 'account':
      return html`<${Account} />`
    case 'boards':
      return second ? html`<${Board} key=${second} id=${second} />` : html`<${Boards} />`
    default:
      return html`<${Empty} title=${text.state.missing}><a href="/devices">${text.state.home}</a><//>`
  }
}

/**
 * What a page is called until it says so itself.
 * @param {string[]} parts of its path
 */
function titleOf([first = 'devices', second = '']) {
  const names = /** @type {Record<string, string>} */ ({
    ...text.nav,
    import: text.nav.transfer,
    signin: text.signIn.title,
  })
  return first === 'devices' && second ? second : (names[first] ?? '')
}

applyTheme()
startClock()
offerRecord()
startRoutes()
startTitles(text.product, titleOf)
keepSession()
whenRefused(() => void loadSession().catch(() => {}))
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById('app')))
