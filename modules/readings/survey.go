package readings

import (
	"fmt"

	"github.com/jackc/pgx/v5"
)

// survey is what is known about the readings that a query concerns before they are read.
type survey struct {
	known bool
	// total is about how many readings there are: of a chunk that the range cuts its share counts, and readings of the window
	// that correct others count twice.
	total int64
	// most is how many readings the largest series has at most.
	most int64
	// mark stands for the state of the chunks. It is not the same again once one of them has been written anew.
	mark string
	// touched is the seq of the newest batch with readings of the query that are not in chunks, 0 without any. After a failover
	// the seq may be another batch's: touchedAt is when it was committed, in Unix µs.
	touched, touchedAt int64
}

// A row has another xmin after each time it was written, and whatever changes a chunk of a day that is over writes the day's
// statistics too. So the sum of hashes changes with every reading that a fold adds or corrects; with two different hashes
// it has 128 bits. The number of months is in the mark for a statement that does not know the newest one (see errNewMonth).
const (
	shareOfChunk = `count * extract(epoch FROM least(start_at + hours * interval '1 hour', $3) - greatest(start_at, $2)) / (3600 * hours)`
	stateOfChunk = `concat_ws(' ', series_id, extract(epoch FROM start_at)::bigint, hours, xmin)`

	surveyHead = `
SELECT coalesce(sum(within), 0)::bigint, coalesce(max(readings), 0)::bigint,
	concat_ws(' ', coalesce(sum(mark), 0), coalesce(sum(other), 0), (SELECT months FROM log_state)), (SELECT folded_seq FROM log_state)
FROM (
	SELECT sum(count) AS readings, sum(within) AS within,
		sum(CASE WHEN $6 THEN hashtextextended(state, 0)::numeric END) AS mark,
		sum(CASE WHEN $6 THEN hashtextextended(state, 1)::numeric END) AS other
	FROM (
		SELECT series_id, count, ` + shareOfChunk + ` AS within, ` + stateOfChunk + ` AS state
		FROM reading_chunks
		WHERE series_id = ANY($1) AND start_at >= $4 AND start_at < $3 AND hours > 24 AND start_at + hours * interval '1 hour' > $2
	UNION ALL
		SELECT series_id, count, ` + shareOfChunk + `, ` + stateOfChunk + `
		FROM reading_chunks
		WHERE series_id = ANY($1) AND start_at >= $5 AND hours <= 24 AND start_at + hours * interval '1 hour' > $2`

	surveyTail = `
	) AS row
	GROUP BY series_id
) AS each`

	// surveyFew looks at every chunk.
	surveyFew = surveyHead + ` AND start_at < $3` + surveyTail

	// surveyMany has days stand for their chunks between $7 and the edge.
	surveyEdge = `(SELECT greatest($7, least($8, closed_until)) FROM log_state)`
	surveyMany = surveyHead + ` AND start_at < $7
	UNION ALL
		SELECT series_id, count, count, concat_ws(' ', series_id, extract(epoch FROM start_at)::bigint, 'day', xmin)
		FROM reading_days
		WHERE series_id = ANY($1) AND start_at >= $7 AND start_at < ` + surveyEdge + `
	UNION ALL
		SELECT series_id, count, ` + shareOfChunk + `, ` + stateOfChunk + `
		FROM reading_chunks
		WHERE series_id = ANY($1) AND start_at >= $7 AND start_at >= ` + surveyEdge + ` AND start_at < $3 AND hours <= 24` + surveyTail
)

// fewDays is a range in which looking at every chunk costs less than looking at days as well.
const fewDays = 3 * day

// survey returns the statement that looks at the chunks of the series within the query's range, and its arguments.
func (q Query) survey(series []int32) (query string, args []any) {
	args = []any{
		series, millis(q.From), millis(q.To), millis(monthSpan.floor(q.From)), millis(daySpan.floor(q.From)), q.Versioned,
	}
	if q.To-q.From <= fewDays {
		return surveyFew, args
	}
	return surveyMany, append(args, millis(daySpan.floor(q.From+day-1)), millis(daySpan.floor(q.To)))
}

// readSurvey adds what the view has to what the statement of a survey has found. Like a scan, it needs a view that was
// captured before.
func readSurvey(row pgx.Row, q Query, recent view) (found survey, err error) {
	var folded int64
	if err := row.Scan(&found.total, &found.most, &found.mark, &folded); err != nil {
		return found, fmt.Errorf("counting readings: %w", err)
	}
	found.known = true
	largest := int64(0)
	for i := range recent.series {
		count, touched := recent.count(i, folded, q.From, q.To)
		found.total += count
		largest = max(largest, count)
		found.touched = max(found.touched, touched)
	}
	if found.touched > 0 {
		found.touchedAt = recent.batches[found.touched-recent.first].CommittedAt.UnixMicro()
	}
	found.most += largest
	return found, nil
}

// count returns how many readings the i-th series has with seq in (after, head] and ts in [from, to), and the newest of
// those seqs, 0 without any.
func (v view) count(i int, after, from, to int64) (count, newest int64) {
	for _, r := range v.refs[i] {
		seq := r.seq()
		if seq <= after || seq > v.head {
			continue
		}
		if ts := v.batches[seq-v.first].TS[r.index()]; ts >= from && ts < to {
			count++
			newest = seq
		}
	}
	return count, newest
}
