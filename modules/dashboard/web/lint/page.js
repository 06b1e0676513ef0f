// Rules of this page for ESLint.
import { imports } from './imports.js'
import { text } from './text.js'

export const page = { rules: { imports, text } }
