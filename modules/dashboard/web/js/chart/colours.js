// Colours from the style sheet, for the canvas.

const shades = 8

/**
 * The numbers of some series' colours, 0 to 7. A series has the same colour wherever it is drawn, made of its name, unless
 * another one of the same chart has it already.
 * @param {string[]} keys
 * @returns {number[]}
 */
export function shadesOf(keys) {
  /** @type {Set<number>} */
  const taken = new Set()
  return keys.map((key) => {
    let shade = hash(key) % shades
    if (taken.size < shades) while (taken.has(shade)) shade = (shade + 1) % shades
    taken.add(shade)
    return shade
  })
}

/**
 * FNV-1a, 32 bits.
 * @param {string} text
 */
function hash(text) {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/**
 * A custom property of the style sheet as it is now.
 * @param {string} name such as --line
 */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/** @param {number} shade */
export function shadeColour(shade) {
  return colour(`--series-${(shade % shades) + 1}`)
}
