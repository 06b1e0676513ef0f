// Has Node.js resolve the page's bare names as the import map does: node --import ./test/register.js
import { register } from 'node:module'

register('./resolve.js', import.meta.url)

// What modules ask of the browser when they are loaded.
Object.assign(globalThis, { location: new URL('http://127.0.0.1/') })
