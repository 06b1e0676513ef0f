// Loader hooks of Node.js.
const vendor = new URL('../vendor/', import.meta.url)

/** @param {string} specifier @param {object} context @param {(specifier: string, context: object) => Promise<object>} next */
export async function resolve(specifier, context, next) {
  if (specifier === 'preact' || specifier === 'uplot') return next(new URL(specifier + '.js', vendor).href, context)
  return next(specifier, context)
}
