// What a person says of a device, and which changes that makes.

/** @typedef {import('./store.js').Device} Device */

/**
 * @typedef {object} Draft
 * @property {string} name
 * @property {string[]} tags
 * @property {number | null} retention_days null as everywhere, 0 for ever
 * @property {Record<string, unknown>} metadata
 * @property {Record<string, string>} units by metric, '' for none
 */

/**
 * Tags as they are written: apart by spaces or commas, with # or without.
 * @param {string} text
 */
export function parseTags(text) {
  const tags = text.split(/[\s,]+/).map((tag) => tag.replace(/^#/, ''))
  return [...new Set(tags.filter(Boolean))]
}

/**
 * @param {string} text
 * @returns {Record<string, unknown> | null} null when it is no JSON object
 */
export function parseMetadata(text) {
  if (!text.trim()) return {}
  try {
    const value = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/**
 * What PATCH /api/devices/{id} takes to make the device what the draft says: nothing that is as it was.
 * @param {Device} device
 * @param {Draft} draft
 * @returns {Record<string, unknown>}
 */
export function changesOf(device, draft) {
  /** @type {Record<string, unknown>} */
  const changes = {}
  if (draft.name !== device.name) changes.name = draft.name
  if (!same([...draft.tags].sort(), [...device.tags].sort())) changes.tags = draft.tags
  if (draft.retention_days !== device.retention_days) changes.retention_days = draft.retention_days
  const metadata = mergePatch(device.metadata, draft.metadata)
  if (Object.keys(metadata).length) changes.metadata = metadata
  const units = unitChanges(device, draft.units)
  if (Object.keys(units).length) changes.units = units
  return changes
}

/**
 * @param {Device} device
 * @param {Record<string, string>} units
 */
function unitChanges(device, units) {
  /** @type {Record<string, string | null>} */
  const changes = {}
  for (const [metric, unit] of Object.entries(units)) {
    const known = device.metrics.find(({ name }) => name === metric)
    if (!known || known.unit !== unit) changes[metric] = unit || null
  }
  return changes
}

/**
 * The merge patch (RFC 7396) that makes the one object of the other.
 * @param {Record<string, unknown>} before
 * @param {Record<string, unknown>} after
 * @returns {Record<string, unknown>}
 */
export function mergePatch(before, after) {
  /** @type {Record<string, unknown>} */
  const patch = {}
  for (const name of Object.keys(before)) if (!(name in after)) patch[name] = null
  for (const [name, value] of Object.entries(after)) {
    const old = before[name]
    if (isObject(old) && isObject(value)) {
      const inner = mergePatch(old, value)
      if (Object.keys(inner).length) patch[name] = inner
    } else if (!same(old, value)) patch[name] = value
  }
  return patch
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * @param {unknown} a
 * @param {unknown} b
 */
function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b)
}
