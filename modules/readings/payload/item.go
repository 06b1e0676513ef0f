package payload

import "bytes"

// item is the state of the item that is being read. Device and memo outlive it: the next item is often of the same device.
type item struct {
	// start is where the item's values begin in the body's slices.
	start int
	// bad says that the item is rejected; what is left of it is only skipped.
	bad bool
	// line is the line that the item begins in, 0 for JSON.
	line int
	// rounded counts the item's values that are not exactly what was sent.
	rounded int
	// misplaced is a name among the item's values that looks like its time or device.
	misplaced []byte
	// long says that the item has one metric and one value: {"device":"a","metric":"temperature","value":21.5}.
	long bool

	// id is the resolver's selected device, nil when none is.
	id []byte
	// memo holds the series of the device's metrics in the order in which its last item had them, which is the order
	// in which the next will very likely have them.
	memo []known
	// selection counts the devices selected; see columnSeries.
	selection int
	// seen finds repeated metrics in large items: the item in which each series was last seen. Small items are searched.
	seen map[int32]int
}

type known struct {
	name   []byte
	series int32
}

// searched is the number of values up to which an item is searched for a repeated series.
const searched = 32

// begin starts the next item.
func (d *Decoder) begin() {
	d.current.start, d.current.bad, d.current.long, d.current.rounded = len(d.body.Series), false, false, 0
	d.current.misplaced = d.current.misplaced[:0]
}

// end completes the item: its values take the time given, or go if the item was rejected.
func (d *Decoder) end(ts int64) {
	b, start := &d.body, d.current.start
	if ts == noTime && !d.current.bad {
		d.untimed++
	}
	if d.current.bad {
		b.Series, b.Value = b.Series[:start], b.Value[:start]
		b.Rejected++
		b.Stopped = b.Stopped || b.Rejected > d.maxRejected
	} else {
		b.Rounded += d.current.rounded
		index := int32(b.Items) // bounded by the size of the body
		for range len(b.Series) - start {
			b.TS = append(b.TS, ts)
			b.Item = append(b.Item, index)
		}
	}
	b.Items++
	if d.current.line > 0 {
		b.lines = append(b.lines, int32(d.current.line))
	}
}

// device selects the item's device. Stable tells whether the bytes of id stay as they are until the body is read.
func (d *Decoder) device(id []byte, stable bool) {
	c := &d.current
	if c.id != nil && bytes.Equal(c.id, id) {
		return
	}
	c.memo, c.id = c.memo[:0], nil
	c.selection++
	if len(id) == 0 {
		d.reject("device", "is empty; give the device's id")
		return
	}
	if err := d.resolver.Device(id); err != nil {
		d.reject("device", "%s", reasonOf(err))
		return
	}
	if stable {
		c.id = id
	}
}

// series returns the series of the k-th metric of the item's device. Not ok means that the item has been rejected.
func (d *Decoder) series(k int, name []byte, stable bool) (series int32, ok bool) {
	c := &d.current
	if k < len(c.memo) && bytes.Equal(c.memo[k].name, name) {
		return c.memo[k].series, true
	}
	series, err := d.resolver.Series(name)
	if err != nil {
		d.rejectMetric(name, "%s", reasonOf(err))
		return 0, false
	}
	if stable && k <= len(c.memo) {
		c.memo = append(c.memo[:k], known{name, series})
	}
	return series, true
}

// add appends a value to the item, unless the item has one of the same series.
func (d *Decoder) add(name []byte, series int32, v float64) {
	if d.repeated(series) {
		d.rejectValue(name, "stands twice in one reading; give it once")
		return
	}
	d.keep(series, v)
}

// keep appends a value to the item, if there is memory for it.
func (d *Decoder) keep(series int32, v float64) {
	b := &d.body
	if d.full != nil {
		return
	}
	b.Series = append(b.Series, series)
	b.Value = append(b.Value, v)
	if cap(b.Series) > d.charged {
		d.charge()
	}
}

// valueBytes is what a value takes in the body's slices.
const valueBytes = 4 + 8 + 8 + 4

// charge asks for the memory that the body's slices take since they have grown. Without it the decoding ends.
func (d *Decoder) charge() {
	n := cap(d.body.Series)
	if d.reserve != nil {
		d.full = d.reserve((n - d.charged) * valueBytes)
	}
	d.charged = n
	d.body.Stopped = d.full != nil
}

func (d *Decoder) repeated(series int32) bool {
	c, all := &d.current, d.body.Series[d.current.start:]
	if len(all) < searched {
		for _, s := range all {
			if s == series {
				return true
			}
		}
		return false
	}
	// Stamped with the item, so that the map is cleared once a body and not once an item.
	if c.seen == nil {
		c.seen = make(map[int32]int)
	}
	if len(all) == searched {
		for _, s := range all {
			c.seen[s] = d.body.Items + 1
		}
	}
	if c.seen[series] == d.body.Items+1 {
		return true
	}
	c.seen[series] = d.body.Items + 1
	return false
}
