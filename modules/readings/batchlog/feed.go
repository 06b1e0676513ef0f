package batchlog

import "slices"

// Feed is the recent window as those see it who follow the log from outside: by stamps.
type Feed struct{ window *Window }

// NewFeed returns the feed of a window.
func NewFeed(window *Window) Feed { return Feed{window} }

// Head returns the stamp of the newest batch applied, 0 when there has been none.
func (f Feed) Head() int64 {
	f.window.mu.RLock()
	defer f.window.mu.RUnlock()
	return f.window.stamp
}

// Next returns the batches after a stamp, oldest first, none when it is the head's or a newer one, and a channel that is closed
// when the next batch comes. ok is false when the window does not reach back so far; the log table has to be read then.
func (f Feed) Next(stamp int64) (batches []*Batch, changed <-chan struct{}, ok bool) {
	w := f.window
	w.mu.RLock()
	defer w.mu.RUnlock()
	switch {
	case stamp >= w.stamp:
		return nil, w.changed, true
	case stamp < w.floor:
		return nil, w.changed, false
	}
	return w.batches[w.after(stamp):], w.changed, true
}

// Names reports whether the stamp is that of a batch, or 0. sure is false when the window does not reach there.
func (f Feed) Names(stamp int64) (named, sure bool) {
	w := f.window
	w.mu.RLock()
	defer w.mu.RUnlock()
	if stamp == 0 || stamp == w.floor || stamp == w.stamp {
		return true, true
	}
	if stamp < w.floor || stamp > w.stamp {
		return false, false
	}
	i := w.after(stamp)
	return i > 0 && w.batches[i-1].Stamp() == stamp, true
}

// Replaced returns how often the log has turned out to be another one, and the stamp of the newest batch that it had then.
func (f Feed) Replaced() (times int, head int64) { return f.window.Replaced() }

// after returns the index of the first batch held after a stamp. The caller holds mu.
func (w *Window) after(stamp int64) int {
	i, found := slices.BinarySearchFunc(w.batches, stamp, func(b *Batch, stamp int64) int { return int(b.Stamp() - stamp) })
	if found {
		i++
	}
	return i
}

// Behind returns how many batches come after the one with the seq, which is its position within this instance.
func (f Feed) Behind(seq int64) int64 { return max(0, f.window.Head()-seq) }
