package fold

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/deletion"
	"telltale/modules/series"
)

// deletionSeries is how many series one statement of a deletion concerns, and of one month at a time: some 100,000 chunks at
// most.
const deletionSeries = 128

const noteDeleted = `UPDATE reading_log SET deleted_count = $2 WHERE seq = $1`

// foldDeletions carries out what batches of the view after folded have deleted. For each series concerned that happens in the
// order of the log: what came before goes into chunks, then leaves them. It returns up to which seq the readings of those
// series are placed.
func (f *Runner) foldDeletions(ctx context.Context, p *placer, recent batchlog.View, folded int64) (placed map[int32]int64, err error) {
	placed = map[int32]int64{}
	for _, b := range recent.BatchesAfter(folded) {
		if b.Deletion == nil {
			continue
		}
		for _, id := range b.Deletion.Series {
			i, found := slices.BinarySearch(recent.Series, id)
			if found {
				refs := recent.Between(i, max(folded, placed[id]), b.Seq-1)
				if err := f.placeRefs(ctx, p, recent, id, refs); err != nil {
					return nil, err
				}
			}
			placed[id] = b.Seq
		}
		if err := p.flush(ctx); err != nil {
			return nil, err
		}
		deleted, err := p.carryOut(ctx, *b.Deletion)
		if err != nil {
			return nil, fmt.Errorf("deleting readings from chunks: %w", err)
		}
		if _, err := p.tx.Exec(ctx, noteDeleted, b.Seq, deleted); err != nil {
			return nil, fmt.Errorf("noting how many readings were deleted: %w", err)
		}
	}
	return placed, nil
}

// carryOut takes readings out of their chunks and returns how many they were. It holds the fold lock for long if they are many,
// but appends go on, and has no more of them in memory than a fold.
func (p *placer) carryOut(ctx context.Context, d deletion.Marker) (deleted int64, err error) {
	months, err := monthsWithin(ctx, p.tx, d)
	if err != nil {
		return 0, err
	}
	for series := range slices.Chunk(d.Series, deletionSeries) {
		part := deletion.Marker{Series: series, From: d.From, To: d.To}
		n, err := p.cut(ctx, part)
		if err != nil {
			return 0, err
		}
		deleted += n
		for _, month := range months {
			if n, err = deleteWhole(ctx, p.tx, part, month); err != nil {
				return 0, err
			}
			deleted += n
		}
		if err := p.deleteDays(ctx, part); err != nil {
			return 0, err
		}
	}
	return deleted, nil
}

// monthsWithin returns the starts of those months that have chunks and overlap the deletion.
func monthsWithin(ctx context.Context, tx pgx.Tx, d deletion.Marker) (starts []int64, err error) {
	all, err := partitions(ctx, tx)
	for _, p := range all {
		for first := p.first; first.Before(p.end()); first = first.AddDate(0, 1, 0) {
			if first.UnixMilli() < d.To && d.From < first.AddDate(0, 1, 0).UnixMilli() {
				starts = append(starts, first.UnixMilli())
			}
		}
	}
	return starts, err
}

const deleteWholeChunks = `
WITH gone AS (
	DELETE FROM reading_chunks
	WHERE series_id = ANY($1) AND start_at >= $2 AND start_at < $3 AND start_at + hours * interval '1 hour' <= $3
	RETURNING tableoid, count, ` + chunkBytes + `
), noted AS (` + noteLost + `
)
SELECT coalesce(sum(count), 0)::bigint FROM gone`

// deleteWhole deletes the chunks of a month that are within the deletion.
func deleteWhole(ctx context.Context, tx pgx.Tx, d deletion.Marker, month int64) (deleted int64, err error) {
	_, end := chunk.MonthSpan.Region(month)
	err = tx.QueryRow(ctx, deleteWholeChunks, d.Series, chunk.UTC(max(d.From, month)), chunk.UTC(min(d.To, end))).Scan(&deleted)
	return deleted, err
}

// $2 are where chunks start that may be cut by $3 or $4.
const selectCutChunks = `
SELECT series_id, (extract(epoch FROM start_at) * 1000)::bigint, hours, count, ` + chunkBytes + `
FROM reading_chunks
WHERE series_id = ANY($1) AND start_at = ANY($2)
	AND (start_at < $3 AND start_at + hours * interval '1 hour' > $3 OR start_at < $4 AND start_at + hours * interval '1 hour' > $4)
ORDER BY 1, 2`

// cut takes the readings deleted out of those chunks that have others, too, by their span.
func (p *placer) cut(ctx context.Context, d deletion.Marker) (deleted int64, err error) {
	var starts []time.Time
	for _, edge := range []int64{d.From, d.To} {
		for s := chunk.HourSpan; s <= chunk.MonthSpan; s++ {
			starts = append(starts, chunk.UTC(s.Floor(edge)))
		}
	}
	rows, err := p.tx.Query(ctx, selectCutChunks, d.Series, starts, chunk.UTC(d.From), chunk.UTC(d.To))
	if err != nil {
		return 0, err
	}
	var cut []placement
	var id int32
	var start, bytes int64
	var hours int16
	var count int
	_, err = pgx.ForEachRow(rows, []any{&id, &start, &hours, &count, &bytes}, func() error {
		u := chunk.SpanOf(hours).Slot(id, start)
		cut = append(cut, placement{addition{Slot: u}, []storedChunk{{u, count, bytes}}, count})
		return nil
	})
	for err == nil && len(cut) > 0 {
		n, total := 0, 0
		for n < len(cut) && (n == 0 || total+cut[n].total <= p.step) {
			total += cut[n].total
			n++
		}
		var gone int64
		gone, err = p.rewriteCut(ctx, d, cut[:n])
		deleted, cut = deleted+gone, cut[n:]
	}
	return deleted, err
}

// rewriteCut writes chunks without the readings deleted, and removes those that have no others.
func (p *placer) rewriteCut(ctx context.Context, d deletion.Marker, cut []placement) (deleted int64, err error) {
	points, err := readPoints(ctx, p.tx, cut)
	if err != nil {
		return 0, err
	}
	p.held(points.count())
	w := chunkWriter{closed: p.closed, now: p.now}
	for _, c := range cut {
		left := deletion.Withhold(points.of(c.stored), []deletion.Mask{{From: d.From, To: d.To}})
		if deleted += int64(c.total - left.Len()); left.Len() == c.total {
			continue
		}
		if left.Len() > 0 {
			w.put(filled{c.Slot, left}, c.stored)
		}
		w.remove(c.stored)
	}
	return deleted, w.flush(ctx, p.tx)
}

const deleteDaysWithin = `DELETE FROM reading_days WHERE series_id = ANY($1) AND start_at >= $2 AND start_at < $3`

// Where a month is one chunk, its days have no statistics of their own.
const selectEdgeDays = `
SELECT series_id, count(*) > 1 AND sum(count) <= $4 FROM reading_chunks
WHERE series_id = ANY($1) AND start_at >= $2 AND start_at < $3 AND hours <= 24
GROUP BY series_id ORDER BY series_id`

// deleteDays deletes the statistics of the days that a deletion is about. Of what is left of the first and the last one it makes
// them again, and one chunk if it is little.
func (p *placer) deleteDays(ctx context.Context, d deletion.Marker) error {
	if _, err := p.tx.Exec(ctx, deleteDaysWithin, d.Series, chunk.UTC(chunk.DaySpan.Floor(d.From)), chunk.UTC(d.To)); err != nil {
		return err
	}
	again := statistics{}
	var starts []int64
	for _, edge := range []int64{d.From, d.To} {
		start := chunk.DaySpan.Floor(edge)
		if start != edge && start+chunk.Day <= p.closed && !slices.Contains(starts, start) { // both may be in one day
			starts = append(starts, start)
		}
	}
	for _, start := range starts {
		rows, err := p.tx.Query(ctx, selectEdgeDays, d.Series, chunk.UTC(start), chunk.UTC(start+chunk.Day), p.pack.day)
		if err != nil {
			return err
		}
		left, err := pgx.CollectRows(rows, pgx.RowToStructByPos[leftOver])
		if err != nil {
			return err
		}
		for _, l := range left {
			u := chunk.DaySpan.Slot(l.Series, start)
			if !l.Little {
				again.note(u)
			} else if err := p.add(ctx, addition{Slot: u}); err != nil {
				return err
			}
		}
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	return again.write(ctx, p.tx)
}

// leftOver is a series with chunks in a day of which others are gone, and whether they should be one.
type leftOver struct {
	Series int32
	Little bool
}

// lockSeries locks series in the order of their ids, for several statements.
func lockSeries(ctx context.Context, tx pgx.Tx, series []int32) error {
	if _, err := tx.Exec(ctx, `SELECT FROM series WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE`, series); err != nil {
		return fmt.Errorf("locking series: %w", err)
	}
	return nil
}

const updateNewest = `
UPDATE series SET last_ts = newest.ts, last_value = newest.value
FROM unnest($1::int[], $2::timestamptz[], $3::float8[]) AS newest (id, ts, value)
WHERE series.id = newest.id`

// noteNewest records the newest reading, not after the horizon, of series of which some were deleted: what chunks have now.
func noteNewest(ctx context.Context, tx pgx.Tx, changed []int32, horizon int64) error {
	for ids := range slices.Chunk(changed, lastSeenSeries) {
		searches, ts, values := make([]*deletion.Search, len(ids)), make([]*time.Time, len(ids)), make([]float64, len(ids))
		for i, id := range ids {
			searches[i] = deletion.NewSearch(id, horizon)
		}
		if err := deletion.SearchBack(ctx, tx, searches); err != nil {
			return err
		}
		for i, s := range searches {
			if values[i] = s.Left.Value; s.Left.TS != series.NoReading {
				at := chunk.UTC(s.Left.TS)
				ts[i] = &at
			}
		}
		if _, err := tx.Exec(ctx, updateNewest, ids, ts, values); err != nil {
			return fmt.Errorf("recording the newest readings that are left: %w", err)
		}
	}
	return nil
}
