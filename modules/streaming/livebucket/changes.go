package livebucket

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"telltale/modules/readings/batchlog"
	"telltale/modules/streaming/backlog"
)

// bucketName is one bucket of one series.
type bucketName struct {
	device, metric string
	ts             int64 // its start
}

// changes lists the buckets that a part of the log has changed although a viewer has got them already.
type changes struct {
	names map[bucketName]struct{}
	// more is set when there were more than Limits.Late; then names is empty, and the changed buckets lie within [from, to).
	more     bool
	from, to int64
	missing  []batchlog.Missing // of the log itself
	deleted  batchlog.Missing   // within which buckets have lost readings, from MinTS to before MaxTS; LastStamp 0 when none have
	stamp    int64              // the last batch that was looked at
}

// look reads the log from the viewer's position to the head, or as much of it as one flush may.
func (m *Maker) look(ctx context.Context, q *Question, at Point, head int64) (changes, error) {
	l := lateScan{names: m.from.Names, most: m.limits.Late, question: q, until: at.Until, found: changes{names: map[bucketName]struct{}{}}, watched: map[int32]*bucketName{}}
	stamp, left := at.Stamp, m.limits.Look
	for stamp < head && left > 0 {
		batches, _, ok := m.from.Window.Next(stamp)
		if !ok {
			read, missing, err := m.from.Backlog.After(ctx, backlog.Point{Replaced: at.Replaced, Stamp: stamp}, head)
			if err != nil {
				return changes{}, err
			}
			if missing != nil {
				l.found.missing = append(l.found.missing, *missing)
				stamp = missing.LastStamp
				continue
			}
			batches = read
		}
		if len(batches) == 0 { // the log has been replaced, as the viewer is about to notice
			stamp = head
		}
		for _, b := range batches {
			if b.Stamp() > head || left <= 0 {
				break
			}
			if err := l.batch(ctx, b); err != nil {
				return changes{}, err
			}
			stamp, left = b.Stamp(), left-b.Len()-deletedSeries(b)
		}
	}
	l.found.stamp = min(stamp, head)
	return l.found, nil
}

// lateScan finds readings that belong to buckets that a viewer has got already.
type lateScan struct {
	names    names
	most     int // buckets that are told one by one
	question *Question
	until    int64 // the viewer has got the buckets that ended by then
	found    changes
	watched  map[int32]*bucketName // the names of series; nil of those that the viewer does not watch
}

func (l *lateScan) batch(ctx context.Context, b *batchlog.Batch) error {
	for i, ts := range b.TS {
		if ts >= l.until {
			continue
		}
		name, err := l.watches(ctx, b.Series[i])
		if err != nil {
			return err
		}
		if name != nil {
			l.note(*name, ts)
		}
	}
	if d := b.Deletion; d != nil && d.From < l.until {
		return l.deletion(ctx, b.Stamp(), d)
	}
	return nil
}

// watches is judge with cached results.
func (l *lateScan) watches(ctx context.Context, id int32) (name *bucketName, err error) {
	name, known := l.watched[id]
	if !known {
		if name, err = l.judge(ctx, id); err != nil {
			return nil, err
		}
		l.watched[id] = name
	}
	return name, nil
}

// judge returns the names of a series, nil when the viewer does not watch it or it was deleted.
func (l *lateScan) judge(ctx context.Context, id int32) (*bucketName, error) {
	series, ok := l.names.ByID(id)
	f := l.question.filter
	switch {
	case !ok,
		f.Devices() != nil && !f.Devices().Has(series.Device),
		f.Metrics() != nil && !f.Metrics().Has(series.Metric):
		return nil, nil
	}
	if err := f.Learn(ctx, []string{series.Device}); err != nil {
		return nil, fmt.Errorf("looking tags up: %w", err)
	}
	if !f.Admits(series.Device) {
		return nil, nil
	}
	return &bucketName{device: series.Device, metric: series.Metric}, nil
}

// note remembers that a bucket has a late reading.
func (l *lateScan) note(name bucketName, ts int64) {
	buckets, found := l.question.buckets, &l.found
	start, end := buckets.Bounds(ts)
	if !found.more {
		name.ts = start
		if found.names[name] = struct{}{}; len(found.names) <= l.most {
			return
		}
		found.more, found.from, found.to = true, start, end
		for each := range found.names {
			_, end := buckets.Bounds(each.ts)
			found.from, found.to = min(found.from, each.ts), max(found.to, end)
		}
		clear(found.names)
	}
	found.from, found.to = min(found.from, start), max(found.to, end)
}

// stretches divides the starts of the buckets into ranges to query: few ranges, with little in between.
func (c *changes) stretches(q *Question) (ranges [][2]int64) {
	starts := make([]int64, 0, len(c.names))
	for name := range c.names {
		starts = append(starts, name.ts)
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	if len(starts) == 0 {
		return nil
	}
	// Reading over a smaller distance is cheaper than another query.
	near := 8 * q.query.Interval.Millis
	var cuts []int // before which start
	for i := 1; i < len(starts); i++ {
		if starts[i]-starts[i-1] > near {
			cuts = append(cuts, i)
		}
	}
	slices.SortFunc(cuts, func(i, k int) int { return cmp.Compare(starts[k]-starts[k-1], starts[i]-starts[i-1]) })
	cuts = append(cuts[:min(len(cuts), maxStretches-1)], len(starts))
	slices.Sort(cuts)
	first := 0
	for _, next := range cuts {
		_, end := q.buckets.Bounds(starts[next-1])
		ranges = append(ranges, [2]int64{starts[first], end})
		first = next
	}
	return ranges
}

// within returns the devices and metrics of the buckets that begin in [from, to).
func (c *changes) within(from, to int64) (devices, metrics []string) {
	for name := range c.names {
		if from <= name.ts && name.ts < to {
			devices, metrics = append(devices, name.device), append(metrics, name.metric)
		}
	}
	return slices.Compact(sorted(devices)), slices.Compact(sorted(metrics))
}
