import assert from 'node:assert/strict'
import { test } from 'node:test'
import { html } from 'preact'

test('html: what never changes is made each time too, since an element that is kept would keep the whole tree it was drawn in', () => {
  const make = () => /** @type {any} */ (html`<div><i class="mark"></i></div>`)
  const [first, second] = [make(), make()]
  assert.equal(first.props.children.type, 'i')
  assert(first.props.children !== second.props.children)
})
