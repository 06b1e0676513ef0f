// The cells of a row of CSV, and which of them a header names.

/**
 * @param {string} row without its line end
 * @returns {string[] | null} null for what is no CSV
 */
export function cellsOf(row) {
  const cells = []
  for (let at = 0; at <= row.length; at++) {
    if (row[at] === '"') {
      const quoted = /"((?:[^"]|"")*)"(?=,|$)/y
      quoted.lastIndex = at
      const found = quoted.exec(row)
      if (!found) return null
      cells.push(found[1].replaceAll('""', '"'))
      at = quoted.lastIndex
    } else {
      const comma = row.indexOf(',', at)
      const end = comma < 0 ? row.length : comma
      const cell = row.slice(at, end)
      if (cell.includes('"')) return null
      cells.push(cell.trim())
      at = end
    }
  }
  return cells
}

const times =
  /^(ts|time|timestamp|date|datetime|(timestamp|time|datetime|date)?utc|(ts|time|timestamp|epoch|unix)ms|isotime|isotimestamp)$/

/** @param {string[]} header */
export function deviceColumn(header) {
  return header.findIndex((name) => /^device(id)?$/.test(plain(name)))
}

/** @param {string[]} header */
export function timeColumn(header) {
  return header.findIndex((name) => times.test(plain(name)))
}

/** @param {string} name */
function plain(name) {
  return name.toLowerCase().replace(/[^a-z0-9\u0080-\uffff]/g, '')
}
