package readings

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// packReadings is how many readings a day or month may have that is kept in one chunk. Below it the row of a chunk
	// and the start of its compression would cost more than the readings.
	packReadings = 5000
	// stepReadings is how many readings a fold takes from the window at once, and about how many, with those of the chunks
	// that they go into, it writes at once.
	stepReadings = 1 << 19
	// stepUnits is how many units a step has at most, stepChunks how many chunks can be stored of them.
	stepUnits  = 2048
	stepChunks = 1 << 16
)

// placer writes readings into the chunks where they belong, within a transaction that holds the fold lock.
//
// A month that is over is one chunk as long as it has at most pack readings, else a day that is over is, else each hour
// is one. Only what is before closed counts as over: chunks after it are hours.
//
// It holds at most three times step readings, or those of a single hour where these are more.
type placer struct {
	tx     pgx.Tx
	closed int64     // Unix ms, a midnight in UTC
	now    time.Time // that replacing chunks is noted with
	pack   int
	step   int
	held   func(readings int)

	pending  []addition
	readings int // in pending
	chunks   int // that can be stored of the units in pending
}

// addition is readings on their way into a unit; none when the unit is only to be packed.
type addition struct {
	unit
	points Points
}

// storedChunk is a chunk in the database, without its readings.
type storedChunk struct {
	unit
	count int
	bytes int64 // about, on disk
}

// placement is one step of placing: the readings stored and new of a unit become its chunks.
type placement struct {
	addition
	stored []storedChunk // in order of time
	total  int           // readings, counting an instant twice that has a new value
}

// place queues readings of a series, and writes what is queued when that is much.
func (p *placer) place(ctx context.Context, series int32, points Points) error {
	for points.Len() > 0 {
		u := p.unit(series, points.TS[0])
		n, _ := slices.BinarySearch(points.TS, u.end)
		if err := p.add(ctx, addition{u, Points{points.TS[:n], points.Value[:n]}}); err != nil {
			return err
		}
		points = Points{points.TS[n:], points.Value[n:]}
	}
	return nil
}

// unit returns the largest unit around an instant that is over; an hour if none is.
func (p *placer) unit(series int32, ts int64) unit {
	for s := monthSpan; s > hourSpan; s-- {
		if u := s.unit(series, ts); u.end <= p.closed {
			return u
		}
	}
	return hourSpan.unit(series, ts)
}

func (p *placer) add(ctx context.Context, a addition) error {
	p.pending = append(p.pending, a)
	p.readings += a.points.Len()
	p.chunks += int(a.hours())
	if len(p.pending) >= stepUnits || p.chunks >= stepChunks || p.readings >= p.step {
		return p.flush(ctx)
	}
	return nil
}

// flush writes what is queued.
func (p *placer) flush(ctx context.Context) error {
	if len(p.pending) == 0 {
		return nil
	}
	stored, err := readStored(ctx, p.tx, p.pending)
	if err != nil {
		return err
	}
	var merges []placement
	for i, a := range p.pending {
		merges = p.divide(merges, a, stored[i])
	}
	for len(merges) > 0 {
		n, total := 0, 0
		for n < len(merges) && n < stepUnits && (n == 0 || total+merges[n].total <= p.step) {
			total += merges[n].total
			n++
		}
		if err := p.write(ctx, merges[:n]); err != nil {
			return err
		}
		merges = merges[n:]
	}
	clear(p.pending)
	p.pending, p.readings, p.chunks = p.pending[:0], 0, 0
	return nil
}

// divide appends the merges that an addition takes: one for the whole unit where that is or becomes one chunk, else those
// of its parts which have new readings.
func (p *placer) divide(merges []placement, a addition, stored []storedChunk) []placement {
	total := a.points.Len()
	for _, c := range stored {
		total += c.count
	}
	if a.span == hourSpan || total <= p.pack || len(stored) == 1 && stored[0].span == a.span {
		return append(merges, placement{a, stored, total})
	}
	for points := a.points; points.Len() > 0; {
		u := a.part(points.TS[0])
		n, _ := slices.BinarySearch(points.TS, u.end)
		from, _ := slices.BinarySearchFunc(stored, u.start, storedChunk.compareStart)
		to, _ := slices.BinarySearchFunc(stored, u.end, storedChunk.compareStart)
		merges = p.divide(merges, addition{u, Points{points.TS[:n], points.Value[:n]}}, stored[from:to])
		points = Points{points.TS[n:], points.Value[n:]}
	}
	return merges
}

func (c storedChunk) compareStart(ts int64) int { return int(min(max(c.start-ts, -1), 1)) }

// write carries out merges and brings the statistics of days up to date.
func (p *placer) write(ctx context.Context, merges []placement) error {
	points, err := readPoints(ctx, p.tx, merges)
	if err != nil {
		return err
	}
	p.held(p.readings + points.count())
	w := chunkWriter{closed: p.closed, now: p.now}
	days := statistics{}
	for _, m := range merges {
		older := points.of(m.stored)
		p.split(m.unit, mergeInto(Points{}, older, m.points), func(c chunk) {
			w.put(c, m.stored)
			if c.end <= p.closed {
				days.note(c.unit)
			}
		})
		w.remove(m.stored)
	}
	if err := w.flush(ctx, p.tx); err != nil {
		return err
	}
	return days.write(ctx, p.tx)
}

// gaping reports whether a distance between instants, or the first one's from start, is more than a delta can hold: 24 days.
func gaping(start int64, ts []int64) bool {
	for _, t := range ts {
		if t-start > math.MaxInt32 {
			return true
		}
		start = t
	}
	return false
}

// split makes chunks of a unit's points: one, or where they are too many or too far apart those of its parts.
func (p *placer) split(u unit, points Points, put func(chunk)) {
	if u.span == hourSpan || points.Len() <= p.pack && !gaping(u.start, points.TS) {
		put(chunk{u, points})
		return
	}
	for points.Len() > 0 {
		part := u.part(points.TS[0])
		n, _ := slices.BinarySearch(points.TS, part.end)
		p.split(part, Points{points.TS[:n], points.Value[:n]}, put)
		points = Points{points.TS[n:], points.Value[n:]}
	}
}
