// Which of many names a person means who has typed some letters of them.

/**
 * @typedef {object} Item
 * @property {string} key unique
 * @property {string} kind what it is: see text.search.kinds
 * @property {string} name
 * @property {string} detail what stands beside the name
 * @property {string} [href] where it leads
 * @property {any} [value] what it stands for
 * @property {string} words all that it is found by, in lower case
 */

/**
 * The items in which each word of what was said occurs, best first; those that are equally good in their own order.
 * @param {Iterable<Item>} items
 * @param {string} said
 * @param {number} most
 * @returns {Item[]}
 */
export function rank(items, said, most) {
  const words = said.toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return []
  /** @type {Item[][]} */
  const found = []
  for (const item of items) {
    const score = scoreOf(item, words)
    if (score >= 0) (found[score] ??= []).push(item)
  }
  return found.flat().slice(0, most)
}

/**
 * How far an item is from what was said: 0 is the name itself. -1 when a word does not occur in it.
 * @param {Item} item
 * @param {string[]} said
 */
function scoreOf(item, said) {
  const name = item.name.toLowerCase()
  let score = 0
  for (const word of said) {
    const at = item.words.indexOf(word)
    if (at < 0) return -1
    score += distance(name, item.words, word, at)
  }
  return score
}

/**
 * @param {string} name
 * @param {string} words
 * @param {string} word
 * @param {number} at where it is in words
 */
function distance(name, words, word, at) {
  if (name === word) return 0
  if (name.startsWith(word)) return 1
  if (startsWord(name, word)) return 2
  if (name.includes(word)) return 3
  return at === 0 || startsWord(words, word) ? 4 : 5
}

/**
 * @param {string} text
 * @param {string} word
 */
function startsWord(text, word) {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || /[\s\-_.:/#]/.test(text[at - 1])) return true
  }
  return false
}
