package livebucket

import (
	"context"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/deletion"
)

// deletedSeries returns how many series lost readings in a batch.
func deletedSeries(b *batchlog.Batch) int {
	if b.Deletion == nil {
		return 0
	}
	return len(b.Deletion.Series)
}

// deletion records how a deletion has changed buckets that the viewer has got. Buckets that it cuts are queried again. Buckets
// within it are empty now, which no bucket event can express: one gap covers them all.
func (l *lateScan) deletion(ctx context.Context, stamp int64, d *deletion.Marker) error {
	buckets, until := l.question.buckets, l.until
	first, _ := buckets.Bounds(d.From)
	_, end := buckets.Bounds(d.To - 1)
	concerned := false
	for _, id := range d.Series {
		name, err := l.watches(ctx, id)
		if err != nil {
			return err
		}
		if name == nil {
			continue
		}
		concerned = true
		if first < d.From {
			l.note(*name, d.From)
		}
		if end > d.To && d.To-1 < until {
			l.note(*name, d.To-1)
		}
	}
	if !concerned {
		return nil
	}
	gone := &l.found.deleted
	if gone.LastStamp == 0 {
		*gone = batchlog.Missing{FirstStamp: stamp, MinTS: first, MaxTS: end}
	}
	gone.LastStamp, gone.MinTS, gone.MaxTS = stamp, min(gone.MinTS, first), max(gone.MaxTS, end)
	return nil
}

// tellDeleted adds a gap event for the range in which buckets may have lost all of their readings.
func (b *builder) tellDeleted(gone batchlog.Missing) {
	if gone.LastStamp != 0 {
		b.tell("deleted", gone.MinTS, min(gone.MaxTS, b.at.Until), gone.FirstStamp, gone.LastStamp)
	}
}
