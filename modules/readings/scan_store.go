package readings

import "time"

// The statements of a scan. wanted has for each series, in the order of the answer:
//
//	id           of the series
//	month, day   where a chunk of a month or day that covers its first instant would start
//	hour         the hour of its first instant
//	since, until where summaries are enough
//
// A lateral join visits series in that order and each one's chunks by the primary key, in order of time: first the one that
// began before the hour, of which there is at most one, then the others. $7 and $8 bound every chunk, so that the planner
// passes over all other partitions. The arrays are left out where the summary will do.
const (
	selectChunks = `
SELECT wanted.n, chunk.*, (SELECT folded_seq FROM log_state), (SELECT months FROM log_state)
FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])
	WITH ORDINALITY AS wanted (id, month, day, hour, since, until, n)
CROSS JOIN LATERAL (`

	columnsWithPoints = `
	SELECT start_at, hours, count, min, max, sum, first, last, deltas, value`

	// $9 is how many hours the longest chunk has that is not cut by the edge of a bucket.
	columnsWhereNeeded = `
	SELECT start_at, hours, count, min, max, sum, first, last,
		CASE WHEN hours <= $9 AND start_at >= wanted.since AND start_at + hours * interval '1 hour' <= wanted.until
			THEN NULL ELSE deltas END AS deltas,
		CASE WHEN hours <= $9 AND start_at >= wanted.since AND start_at + hours * interval '1 hour' <= wanted.until
			THEN NULL ELSE value END AS value`

	fromChunks = `
	FROM reading_chunks WHERE series_id = wanted.id AND start_at >= $7 AND start_at < $8`

	// coveringFirst has an ORDER BY in each branch, as the others do, so that the planner keeps to the primary key.
	coveringFirst = `(` +
		columnsWithPoints + fromChunks + ` AND start_at = wanted.month AND start_at < wanted.hour AND hours > 24
	ORDER BY start_at
) UNION ALL (` +
		columnsWithPoints + fromChunks + ` AND start_at = wanted.day AND start_at < wanted.hour AND hours = 24
	ORDER BY start_at
) UNION ALL (`

	inOrderOfTime = `
	ORDER BY start_at
)`

	selectPoints = selectChunks + coveringFirst +
		columnsWithPoints + fromChunks + ` AND start_at >= wanted.hour` + inOrderOfTime + `) AS chunk`

	selectSummaries = selectChunks + coveringFirst +
		columnsWhereNeeded + fromChunks + ` AND start_at >= wanted.hour` + inOrderOfTime + `) AS chunk`
)

// Where buckets are made of whole days, the days from since until edge are read from their own table, and of the chunks there
// only those of months.
const (
	edge = `greatest(wanted.since, least(wanted.until, (SELECT closed_until FROM log_state)))`

	selectDays = selectChunks + coveringFirst +
		columnsWhereNeeded + fromChunks + ` AND start_at >= wanted.hour AND start_at < wanted.since` + inOrderOfTime + `
UNION ALL (` +
		columnsWithPoints + fromChunks + ` AND start_at >= wanted.since AND start_at < ` + edge + ` AND hours > 24
	UNION ALL
	SELECT start_at, 24::smallint, count, min, max, sum, first, last, NULL, NULL
	FROM reading_days WHERE series_id = wanted.id AND start_at >= wanted.since AND start_at < ` + edge + inOrderOfTime + `
UNION ALL (` +
		columnsWhereNeeded + fromChunks + ` AND start_at >= ` + edge + inOrderOfTime + `) AS chunk`
)

// question returns the statement that reads what the scan needs, and its arguments.
func (s *scan) question() (query string, args []any) {
	n := len(s.recent.series)
	months, days, hours := make([]time.Time, n), make([]time.Time, n), make([]time.Time, n)
	since, until := make([]time.Time, n), make([]time.Time, n)
	whole := s.wholeSpan()
	least := s.to
	for i := range n {
		from := s.begin(i)
		months[i], days[i], hours[i] = millis(monthSpan.floor(from)), millis(daySpan.floor(from)), millis(chunkStart(from))
		least = min(least, monthSpan.floor(from))
		if whole >= hourSpan {
			a, b := s.summaryRange(i, whole)
			since[i], until[i] = millis(a), millis(b)
		}
	}
	args = []any{s.recent.series, months, days, hours, since, until, millis(least), millis(s.to)}
	switch whole {
	case daySpan:
		return selectDays, append(args, int16(24))
	case hourSpan:
		return selectSummaries, append(args, int16(1))
	default:
		return selectPoints, args
	}
}

// noSpan says that no chunk's summary will do.
const noSpan span = -1

// wholeSpan returns the longest span that no edge of a bucket cuts, as far as there are statistics of it; noSpan when there
// is none.
func (s *scan) wholeSpan() span {
	switch {
	case s.buckets == nil:
		return noSpan
	case s.buckets.unbroken(s.from, s.to, day):
		return daySpan
	case s.buckets.unbroken(s.from, s.to, hour):
		return hourSpan
	default:
		return noSpan
	}
}

// begin returns where the i-th series begins.
func (s *scan) begin(i int) int64 {
	from := s.from
	if i == 0 {
		from = max(from, s.resume)
	}
	if s.floors != nil {
		from = max(from, s.floors[i])
	}
	return from
}

// summaryRange returns a stretch of the i-th series where summaries of whole spans are enough, because it is within what is
// asked for and the window has nothing there: the longest one, so that a late reading does not have a year of chunks
// opened. It may be empty.
func (s *scan) summaryRange(i int, whole span) (since, until int64) {
	width := ChunkSpan
	if whole == daySpan {
		width = day
	}
	from := s.begin(i)
	first, end := floorTo(from+width-1, width), floorTo(s.to, width)
	at := first
	for _, ts := range s.recent.instants(i, from, s.to) {
		if free := min(floorTo(ts, width), end); free-at > until-since {
			since, until = at, free
		}
		if at = max(at, floorTo(ts, width)+width); end-at <= until-since {
			break
		}
	}
	if end-at > until-since {
		since, until = at, end
	}
	if since == until {
		return first, first
	}
	return since, until
}
