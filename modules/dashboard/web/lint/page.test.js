import { test } from 'node:test'
import { RuleTester } from 'eslint'
import { page } from './page.js'

const tester = new RuleTester()

test('page/text finds words in templates, and nothing else', () => {
  tester.run('text', page.rules.text, {
    valid: [
      'html`<p class="two words" title=${text.title}>${text.body}<${Chart} of=${() => ids} /></p>`',
      'html`<td>– ${value} °</td>`',
      'css`body`',
    ],
    invalid: [
      { code: 'html`<p>Sign in</p>`', errors: 1 },
      { code: 'html`<button aria-label="Close">×</button>`', errors: 1 },
      { code: 'html`<p>${a} of ${b}</p>`', errors: 1 },
    ],
  })
})

test('page/imports holds the order of the folders', () => {
  const options = [{ folders: ['text', 'core', 'parts'] }]
  tester.run('imports', page.rules.imports, {
    valid: [
      { options, filename: '/w/js/parts/a.js', code: "import { b } from '../core/b.js'; import { c } from './c.js'" },
      { options, filename: '/w/js/main.js', code: "import { html } from 'preact'; import { a } from './parts/a.js'" },
    ],
    invalid: [
      { options, filename: '/w/js/core/b.js', code: "import { a } from '../parts/a.js'", errors: 1 },
      { options, filename: '/w/js/core/b.js', code: "import { main } from '../main.js'", errors: 1 },
      { options, filename: '/w/js/core/b.js', code: "import { a } from '../elsewhere/a.js'", errors: 1 },
      { options, filename: '/w/js/core/b.js', code: "import { a } from './a'", errors: 1 },
      { options, filename: '/w/js/core/b.js', code: "import { a } from 'lodash'", errors: 1 },
    ],
  })
})
