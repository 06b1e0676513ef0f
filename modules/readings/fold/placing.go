package fold

import (
	"context"
	"math"
	"slices"
	"time"

	"telltale/modules/readings/chunk"

	"github.com/jackc/pgx/v5"
)

const (
	// packDay and packMonth are how many readings a day or month may have that is kept in one chunk. A larger chunk would not be
	// smaller by reading, but cost more each time a late reading has it written again. The hours of a day that is one chunk have
	// their statistics in its row; those of a month have not, so it has few.
	packDay   = 1 << 15
	packMonth = 5000
	// stepReadings is how many readings a fold takes from the window at once, and about how many, with those of the chunks
	// that they go into, it writes at once.
	stepReadings = 1 << 19
	// stepSlots is how many slots a step has at most, stepChunks how many chunks can be stored of them.
	stepSlots  = 2048
	stepChunks = 1 << 16
)

// placer writes readings into the chunks where they belong, within a transaction that holds the fold lock.
//
// A month that is over is one chunk as long as it has at most packMonth readings, else a day that is over is, as long as it has at
// most packDay, else each hour is one. Only what is before closed counts as over: chunks after it are hours.
//
// It holds at most three times step readings, or those of a single hour where these are more.
type placer struct {
	tx     pgx.Tx
	closed int64     // Unix ms, a midnight in UTC
	now    time.Time // that replacing chunks is noted with
	pack   pack
	step   int
	held   func(readings int)

	pending  []addition
	readings int // in pending
	chunks   int // that can be stored of the slots in pending
}

// pack is how many readings a day and a month may have that is one chunk.
type pack struct{ day, month int }

// most returns how many readings a chunk of a span may have.
func (p pack) most(s chunk.Span) int {
	switch s {
	case chunk.MonthSpan:
		return p.month
	case chunk.DaySpan:
		return p.day
	default:
		return math.MaxInt
	}
}

// addition is readings on their way into a slot; none when the slot is only to be packed.
type addition struct {
	chunk.Slot
	points chunk.Points
}

// storedChunk is a chunk in the database, without its readings.
type storedChunk struct {
	chunk.Slot
	count int
	bytes int64 // about, on disk
}

// placement is one step of placing: the readings stored and new of a slot become its chunks.
type placement struct {
	addition
	stored []storedChunk // in order of time
	total  int           // readings, counting an instant twice that has a new value
}

// place queues readings of a series, and writes what is queued when that is much.
func (p *placer) place(ctx context.Context, series int32, points chunk.Points) error {
	for points.Len() > 0 {
		u := p.slot(series, points.TS[0])
		n, _ := slices.BinarySearch(points.TS, u.End)
		if err := p.add(ctx, addition{u, chunk.Points{TS: points.TS[:n], Value: points.Value[:n]}}); err != nil {
			return err
		}
		points = chunk.Points{TS: points.TS[n:], Value: points.Value[n:]}
	}
	return nil
}

// slot returns the largest slot around an instant that is over; an hour if none is.
func (p *placer) slot(series int32, ts int64) chunk.Slot {
	for s := chunk.MonthSpan; s > chunk.HourSpan; s-- {
		if u := s.Slot(series, ts); u.End <= p.closed {
			return u
		}
	}
	return chunk.HourSpan.Slot(series, ts)
}

func (p *placer) add(ctx context.Context, a addition) error {
	p.pending = append(p.pending, a)
	p.readings += a.points.Len()
	p.chunks += int(a.Hours())
	if len(p.pending) >= stepSlots || p.chunks >= stepChunks || p.readings >= p.step {
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
		for n < len(merges) && n < stepSlots && (n == 0 || total+merges[n].total <= p.step) {
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

// divide appends the merges that an addition takes: one for the whole slot where that is or becomes one chunk, else those
// of its parts which have new readings.
func (p *placer) divide(merges []placement, a addition, stored []storedChunk) []placement {
	total := a.points.Len()
	for _, c := range stored {
		total += c.count
	}
	if total <= p.pack.most(a.Span) || len(stored) == 1 && stored[0].Span == a.Span {
		return append(merges, placement{a, stored, total})
	}
	for points := a.points; points.Len() > 0; {
		u := a.Part(points.TS[0])
		n, _ := slices.BinarySearch(points.TS, u.End)
		from, _ := slices.BinarySearchFunc(stored, u.Start, storedChunk.compareStart)
		to, _ := slices.BinarySearchFunc(stored, u.End, storedChunk.compareStart)
		merges = p.divide(merges, addition{u, chunk.Points{TS: points.TS[:n], Value: points.Value[:n]}}, stored[from:to])
		points = chunk.Points{TS: points.TS[n:], Value: points.Value[n:]}
	}
	return merges
}

func (c storedChunk) compareStart(ts int64) int { return int(min(max(c.Start-ts, -1), 1)) }

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
		p.split(m.Slot, chunk.Merge(chunk.Points{}, older, m.points), func(c filled) {
			w.put(c, m.stored)
			if c.End <= p.closed {
				days.note(c.Slot)
			}
		})
		w.remove(m.stored)
	}
	if err := w.flush(ctx, p.tx); err != nil {
		return err
	}
	return days.write(ctx, p.tx)
}

// split makes chunks of a slot's points: one, or where they are too many those of its parts.
func (p *placer) split(u chunk.Slot, points chunk.Points, put func(filled)) {
	if points.Len() <= p.pack.most(u.Span) {
		put(filled{u, points})
		return
	}
	for points.Len() > 0 {
		part := u.Part(points.TS[0])
		n, _ := slices.BinarySearch(points.TS, part.End)
		p.split(part, chunk.Points{TS: points.TS[:n], Value: points.Value[:n]}, put)
		points = chunk.Points{TS: points.TS[n:], Value: points.Value[n:]}
	}
}
