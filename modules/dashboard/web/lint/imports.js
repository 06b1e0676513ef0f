// A module imports from its own folder and those before it in the list, or one of the two libraries by its bare name.
import path from 'node:path'

const libraries = ['preact', 'uplot']

/** @param {string} file @returns {string} the folder right under js, '' for js itself */
function folderOf(file) {
  const inside = file.split('/js/').pop() ?? ''
  return inside.includes('/') ? inside.split('/')[0] : ''
}

/**
 * @param {string} source what is imported
 * @param {string} file that imports it
 * @param {string[]} folders in order
 * @returns {{messageId: string, data: object} | null}
 */
function faultOf(source, file, folders) {
  if (!source.startsWith('.')) return libraries.includes(source) ? null : { messageId: 'bare', data: { source } }
  if (!source.endsWith('.js')) return { messageId: 'extension', data: { source } }
  const from = folderOf(file)
  const to = folderOf(path.posix.join(path.posix.dirname(file), source))
  const data = { from: from || 'main', to: to || 'main', order: folders.join(' ← ') }
  if (to !== '' && !folders.includes(to)) return { messageId: 'unknown', data }
  return level(to, folders) > level(from, folders) ? { messageId: 'order', data } : null
}

/** @param {string} folder @param {string[]} folders @returns {number} js itself, where main is, is behind them all */
function level(folder, folders) {
  return folder === '' ? folders.length : folders.indexOf(folder)
}

export const imports = {
  meta: {
    type: 'problem',
    schema: [{ type: 'object', properties: { folders: { type: 'array' } } }],
    messages: {
      bare: "'{{source}}' is no library of this page: there are " + libraries.join(' and '),
      extension: "write the whole name of the file: '{{source}}.js'",
      order: '{{from}} may not import from {{to}}: the order is {{order}}',
      unknown: 'js/{{to}} is no folder of the order in eslint.config.js: {{order}}',
    },
  },
  create(context) {
    const { folders } = context.options[0]
    const file = context.filename.replaceAll(path.sep, '/')
    return {
      ImportDeclaration(node) {
        const fault = faultOf(String(node.source.value), file, folders)
        if (fault) context.report({ node, ...fault })
      },
    }
  },
}
