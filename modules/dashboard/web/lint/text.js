// What people read comes from js/text: an html template holds no words of its own, neither between tags nor in the attributes
// that are read out.

const readOut =
  /\s(?:title|placeholder|alt|aria-label|aria-description|aria-roledescription|aria-valuetext)=(["'])([^"']*)\1/g
const words = /\p{L}{2,}/u

/** @param {string} template whose values are one NUL each @returns {string | null} the first words in it */
function wordsOf(template) {
  for (const [, , value] of template.matchAll(readOut)) if (words.test(value)) return value
  const between = template.replace(/<!--[^]*?-->/g, ' ').replace(/<[^<>]*>/g, '\n')
  return (
    between
      .split('\n')
      .find((line) => words.test(line))
      ?.trim() ?? null
  )
}

export const text = {
  meta: { type: 'problem', schema: [], messages: { literal: "'{{found}}' belongs into js/text/en.js" } },
  create(context) {
    return {
      TaggedTemplateExpression(node) {
        if (node.tag.type !== 'Identifier' || node.tag.name !== 'html') return
        // A function in an attribute has been cut out with its => already: values are NULs.
        const template = node.quasi.quasis.map((part) => part.value.cooked ?? '').join('\0')
        const found = wordsOf(template)
        if (found) context.report({ node, messageId: 'literal', data: { found } })
      },
    }
  },
}
