package payload

import (
	"cmp"
	"slices"
)

// Overwritten counts the values of the body that a later one of the same series and time takes the place of. It costs one
// look-up a value as long as the times of each series ascend in the order of the body.
func (b *Body) Overwritten() int {
	if len(b.Item) == 0 || b.Item[0] == b.Item[len(b.Item)-1] {
		return 0 // one item has no series twice
	}
	var last lastTimes
	for i, series := range b.Series {
		if !last.ascends(series, b.TS[i]) {
			return b.countOverwritten()
		}
	}
	return 0
}

// countOverwritten counts by sorting.
func (b *Body) countOverwritten() int {
	type key struct {
		series int32
		ts     int64
	}
	keys := make([]key, len(b.Series))
	for i, series := range b.Series {
		keys[i] = key{series, b.TS[i]}
	}
	slices.SortFunc(keys, func(a, b key) int {
		if a.series != b.series {
			return int(a.series) - int(b.series)
		}
		return cmp.Compare(a.ts, b.ts)
	})
	return len(keys) - len(slices.Compact(keys))
}

// lastTimes is an open hash table of the last time of each series: the map of the language costs three times as much.
type lastTimes struct {
	slots []lastTime
	used  int
}

type lastTime struct {
	series int32
	taken  bool
	ts     int64
}

// ascends reports whether the time is later than the last of the series, which it becomes.
func (l *lastTimes) ascends(series int32, ts int64) bool {
	if 2*l.used >= len(l.slots) {
		l.grow()
	}
	slot := l.find(series)
	if !slot.taken {
		*slot = lastTime{series, true, ts}
		l.used++
		return true
	}
	later := ts > slot.ts
	slot.ts = ts
	return later
}

// find returns the slot of the series, or the free one that it is to have.
func (l *lastTimes) find(series int32) *lastTime {
	mask := uint32(len(l.slots) - 1)
	for i := uint32(series) * 2654435769 >> 7 & mask; ; i = (i + 1) & mask {
		if slot := &l.slots[i]; !slot.taken || slot.series == series {
			return slot
		}
	}
}

func (l *lastTimes) grow() {
	old := l.slots
	l.slots = make([]lastTime, max(64, 4*len(old)))
	for _, slot := range old {
		if slot.taken {
			*l.find(slot.series) = slot
		}
	}
}
