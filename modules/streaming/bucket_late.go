package streaming

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"telltale/modules/readings"
)

// bucketName is one bucket of one series.
type bucketName struct {
	device, metric string
	ts             int64 // its start
}

// changes is what a part of the log holds of buckets that a viewer has got already.
type changes struct {
	names map[bucketName]struct{}
	// more is set when there were more than maxLate; names then is empty, and they are within [from, to).
	more     bool
	from, to int64
	missing  []readings.Missing // of the log itself
	seq      int64              // the last batch that was looked at
}

// look goes through the log from the viewer's place to the head, or through as much of it as one flush may.
func (c *closer) look(ctx context.Context, v *viewer, head int64) (changes, error) {
	l := looker{names: c.names, most: c.maxLate, viewer: v, found: changes{names: map[bucketName]struct{}{}}, watched: map[int32]*bucketName{}}
	seq, left := v.pos.Seq, c.maxLook
	for seq < head && left > 0 {
		batches, _, ok := c.window.Next(seq)
		if !ok {
			read, missing, err := c.backlog.after(ctx, logPlace{v.replaced, seq}, head)
			if err != nil {
				return changes{}, err
			}
			if missing != nil {
				l.found.missing = append(l.found.missing, *missing)
				seq = missing.LastSeq
				continue
			}
			batches = read
		}
		if len(batches) == 0 { // the log has been replaced, as the viewer is about to notice
			seq = head
		}
		for _, b := range batches {
			if b.Seq > head || left <= 0 {
				break
			}
			if err := l.batch(ctx, b); err != nil {
				return changes{}, err
			}
			seq, left = b.Seq, left-b.Len()
		}
	}
	l.found.seq = min(seq, head)
	return l.found, nil
}

// looker looks for late readings.
type looker struct {
	names   nameTable
	most    int // buckets that are told one by one
	viewer  *viewer
	found   changes
	watched map[int32]*bucketName // the names of series; nil of those that the viewer does not watch
}

func (l *looker) batch(ctx context.Context, b *readings.Batch) (err error) {
	for i, ts := range b.TS {
		if ts >= l.viewer.pos.Until {
			continue
		}
		name, known := l.watched[b.Series[i]]
		if !known {
			if name, err = l.judge(ctx, b.Series[i]); err != nil {
				return err
			}
			l.watched[b.Series[i]] = name
		}
		if name != nil {
			l.note(*name, ts)
		}
	}
	return nil
}

// judge returns the names of a series, nil when the viewer does not watch it or it was deleted.
func (l *looker) judge(ctx context.Context, id int32) (*bucketName, error) {
	series, ok := l.names.ByID(id)
	f := &l.viewer.filter
	switch {
	case !ok,
		f.devices != nil && !f.devices.Has(series.Device),
		f.metrics != nil && !f.metrics.Has(series.Metric):
		return nil, nil
	}
	if err := f.learn(ctx, []string{series.Device}); err != nil {
		return nil, fmt.Errorf("looking tags up: %w", err)
	}
	if !f.admits(series.Device) {
		return nil, nil
	}
	return &bucketName{device: series.Device, metric: series.Metric}, nil
}

// note remembers that a bucket has a late reading.
func (l *looker) note(name bucketName, ts int64) {
	buckets, found := l.viewer.buckets.buckets, &l.found
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

// stretches divides the starts of the buckets into ranges to be asked for: few of them, and with little in between.
func (c *changes) stretches(b *bucketing) (ranges [][2]int64) {
	starts := make([]int64, 0, len(c.names))
	for name := range c.names {
		starts = append(starts, name.ts)
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	if len(starts) == 0 {
		return nil
	}
	// What lies closer is cheaper to read over than to ask for by itself.
	near := 8 * b.query.Interval.Millis
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
		_, end := b.buckets.Bounds(starts[next-1])
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
