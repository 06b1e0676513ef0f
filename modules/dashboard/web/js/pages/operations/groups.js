// Which figures belong together, in the order of the page, and what each one's limit means.

/** @typedef {import('./report.js').Figure} Figure */

/**
 * What a limit is to its figure. capacity: there is no more. timeout: what takes longer is given up. due: reaching it is
 * usual, and begins work. size: what is kept open. folded: the part of it that has been folded is limited, and usually full.
 * Figures without a limit have: none; fault, when anything but a little is one; growth, which is seen in its change rather
 * than from 0.
 * @typedef {'capacity' | 'timeout' | 'due' | 'size' | 'folded' | 'none' | 'fault' | 'growth'} Kind
 */

/** @type {Record<string, Record<string, Kind>>} */
const groups = {
  pool: { pool_in_use: 'capacity', pool_idle: 'size', pool_waits: 'fault', pool_wait_time: 'timeout' },
  ingest: { ingest_readings: 'none', ingest_commits: 'none', commit_time: 'timeout', queued_bytes: 'capacity' },
  queries: { http_requests: 'none', history_queries: 'none', history_p50: 'timeout', history_p95: 'timeout' },
  streams: { stream_viewers: 'none', stream_events: 'none', stream_delay_p95: 'none', stream_lag: 'none' },
  log: { tail_lag: 'none', fold_lag: 'none', unfolded_readings: 'due', unfolded_bytes: 'capacity' },
  storage: { database_bytes: 'growth', bytes_per_reading: 'growth', series: 'capacity', window_bytes: 'folded' },
  process: { http_failures: 'fault', cpu: 'capacity', memory_heap: 'capacity', memory_resident: 'capacity' },
}

const kinds = Object.assign({}, ...Object.values(groups))

/**
 * What the figure's limit means. A figure that this page does not know yet has none.
 * @param {string} name
 * @returns {Kind}
 */
export function kindOf(name) {
  return kinds[name] ?? 'none'
}

/**
 * The figures by group. Those that this page does not know are the last one.
 * @param {Figure[]} figures
 * @returns {{name: string, figures: Figure[]}[]} without empty groups
 */
export function grouped(figures) {
  const found = Object.entries(groups).map(([name, members]) => ({
    name,
    figures: Object.keys(members).flatMap((member) => figures.filter((figure) => figure.name === member)),
  }))
  found.push({ name: 'other', figures: figures.filter(({ name }) => !(name in kinds)) })
  return found.filter((group) => group.figures.length > 0)
}
