package payload

import "math"

// noTime stands for the time of an item that has none, until spread.
const noTime = math.MinInt64

// spread gives the items without a time one. The last is of now; where several are of one series, those before it are of
// the milliseconds before, in the order of the body, so that all of them can be read back. An item keeps one time for all of
// its values.
func (d *Decoder) spread() {
	if d.untimed == 0 {
		return
	}
	b := &d.body
	if d.taken == nil {
		d.taken = make(map[int32]int64)
	}
	for end := len(b.TS); end > 0; {
		start := end - 1
		for start > 0 && b.Item[start-1] == b.Item[end-1] {
			start--
		}
		if b.TS[start] == noTime {
			d.setTime(start, end)
		}
		end = start
	}
}

// setTime gives the item whose values stand from start until end the newest time that none of its series has yet.
func (d *Decoder) setTime(start, end int) {
	series, before := d.body.Series[start:end], int64(0)
	if d.untimed > 1 {
		for _, s := range series {
			before = max(before, d.taken[s])
		}
		for _, s := range series {
			d.taken[s] = before + 1
		}
	}
	for i := start; i < end; i++ {
		d.body.TS[i] = d.now - before
	}
}
