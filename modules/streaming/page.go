package streaming

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"telltale/modules/devices"
	"telltale/modules/readings/render"
	"telltale/platform/fault"
)

const (
	// maxSnapshot is the most series that a stream may begin with.
	maxSnapshot = 100_000
	// stateBytes is about what one of them takes.
	stateBytes = 112
	// pageTimeout is how long a viewer may take for a page, which keeps room from the others meanwhile, before its stream ends.
	// The largest snapshot, some 10 MB, gets through a link of 256 kbit/s.
	pageTimeout = 6 * time.Minute
	// pieceBytes is about how much of a page is written at once.
	pieceBytes = 16 << 10
)

// page is the newest readings of series as of one batch, on the way to one viewer. Its events have no ids before the end,
// so that a viewer who loses its connection meanwhile resumes from where it was before the page.
type page struct {
	kind   pageKind
	at     Position
	states []devices.SeriesState // what is left of it, device by device
	text   []byte                // what is left of a flush
	free   func()                // gives back the room that it takes, once
	due    time.Time             // by when the socket has to have taken it
}

// pageKind says what the events of a page are.
type pageKind int

const (
	// snapshots are events of their own kind, one for each device and instant; a position ends the page.
	snapshots pageKind = iota
	// newest are readings, one for each device; the last one has an id.
	newest
	// buckets are those of a flush.
	buckets
)

// snapshot returns the newest reading of each series that the filter lets through. It returns an Invalid fault when they
// are too many, and Unavailable when too much is being written already.
func (h *Hub) snapshot(ctx context.Context, f *filter) (*page, error) {
	p, fits, err := h.capture(ctx, f, devices.Wanted{After: -1}, maxSnapshot)
	switch {
	case err != nil:
		return nil, err
	case !fits:
		return nil, fault.InvalidField("snapshot", "would begin with more than %d series: narrow it by device, tag or metric", maxSnapshot)
	case p == nil:
		return nil, fault.Busy(time.Second, nil, "too many snapshots are being sent")
	}
	return p, nil
}

// skipped returns the newest reading of each series that the filter lets through and that has a newer one since the
// position; nil when there is no room for them at present.
func (h *Hub) skipped(ctx context.Context, f *filter, since Position) (*page, error) {
	p, _, err := h.capture(ctx, f, devices.Wanted{After: since.Seq}, noLimit)
	return p, err
}

const noLimit = math.MaxInt

// pace returns what skipped does, up to the head or a little beyond, as readings.
func (h *Hub) pace(ctx context.Context, f *filter, since Position) (*page, error) {
	wanted, head := devices.Wanted{After: since.Seq}, Position{}
	batches, _, ok := h.window.Next(since.Seq)
	if ok && len(batches) == 0 {
		return nil, nil
	}
	if f.devices == nil && ok {
		count := 0
		for _, b := range batches {
			count += b.Len()
		}
		if count < h.registry.Size() {
			wanted.IDs, head = make([]int32, 0, count), Position{Seq: batches[len(batches)-1].Seq}
			for _, b := range batches {
				wanted.IDs = append(wanted.IDs, b.Series...)
			}
			slices.Sort(wanted.IDs)
			wanted.IDs = slices.Compact(wanted.IDs)
		}
	}
	p, _, err := h.capture(ctx, f, wanted, noLimit)
	if p == nil || err != nil {
		return nil, err
	}
	p.kind = newest
	if wanted.IDs != nil {
		// A later batch may have been observed already, of which only these series were looked at.
		p.at = head
		slices.SortFunc(p.states, func(a, b devices.SeriesState) int {
			return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.Metric, b.Metric))
		})
	}
	return p, nil
}

// capture returns a page of what is wanted within the filter and still kept, nil when there is no room for it.
func (h *Hub) capture(ctx context.Context, f *filter, wanted devices.Wanted, most int) (_ *page, fits bool, err error) {
	wanted.Devices, wanted.Metrics = f.devices, f.metrics
	var strangers []string
	if f.sees != nil || f.tags != nil {
		wanted.Keep = func(device string) bool {
			if !f.permits(device) {
				return false
			}
			if !f.knows([]string{device}) {
				strangers = append(strangers, device)
			}
			return f.admits(device)
		}
	}
	for {
		strangers = nil
		states, seq, fits := h.registry.Capture(wanted, most)
		if len(strangers) > 0 {
			if err := f.learn(ctx, strangers); err != nil {
				return nil, true, fmt.Errorf("looking tags up: %w", err)
			}
			continue
		}
		if !fits {
			return nil, false, nil
		}
		states = slices.DeleteFunc(states, func(newest devices.SeriesState) bool { return !h.retention.Keeps(newest) })
		free, ok := h.pages.take(len(states) * stateBytes)
		if !ok {
			return nil, true, nil
		}
		return &page{at: Position{Seq: seq}, states: states, free: free, due: time.Now().Add(h.pageTimeout)}, true, nil
	}
}

// append appends the next piece of the page, the end of it with the last one, and returns how many events it has.
func (p *page) append(dst []byte) (_ []byte, events int) {
	if p.kind == buckets {
		return p.appendText(dst)
	}
	for start := len(dst); len(p.states) > 0 && len(dst)-start < pieceBytes; {
		n := 1
		for n < len(p.states) && p.states[n].Device == p.states[0].Device {
			n++
		}
		device := p.states[:n]
		p.states = p.states[n:]
		if p.kind == newest {
			dst = p.appendNewest(dst, device)
			events++
			continue
		}
		slices.SortStableFunc(device, func(a, b devices.SeriesState) int { return cmp.Compare(a.LastTS, b.LastTS) })
		for len(device) > 0 {
			n := 1
			for n < len(device) && device[n].LastTS == device[0].LastTS {
				n++
			}
			dst = appendStates(append(dst, "event: snapshot\n"...), device[:n], device[0].LastTS)
			device = device[n:]
			events++
		}
	}
	if p.done() && p.kind == snapshots {
		dst = appendPosition(dst, p.at)
	}
	return dst, events
}

// orDue returns the deadline, or when the page has to have been taken if that is before. There may be no page.
func (p *page) orDue(deadline time.Time) time.Time {
	if p != nil && p.due.Before(deadline) {
		return p.due
	}
	return deadline
}

func (p *page) done() bool { return len(p.states) == 0 && len(p.text) == 0 }

// appendText appends the next piece of a flush, which ends where an event does.
func (p *page) appendText(dst []byte) (_ []byte, events int) {
	n, behind := len(p.text), []byte("\n\n")
	if n > pieceBytes {
		n = pieceBytes - 1 + bytes.Index(p.text[pieceBytes-1:], behind) + len(behind)
	}
	events = bytes.Count(p.text[:n], behind)
	dst, p.text = append(dst, p.text[:n]...), p.text[n:]
	return dst, events
}

// appendNewest appends the event of a device at the instant of its newest reading.
func (p *page) appendNewest(dst []byte, device []devices.SeriesState) []byte {
	if p.done() {
		dst = append(strconv.AppendInt(append(dst, "id: "...), p.at.Seq, 10), '\n')
	}
	last := slices.MaxFunc(device, func(a, b devices.SeriesState) int { return cmp.Compare(a.LastTS, b.LastTS) })
	return appendStates(append(dst, "event: reading\n"...), device, last.LastTS)
}

func appendStates(dst []byte, states []devices.SeriesState, ts int64) []byte {
	dst = render.AppendString(append(dst, `data: {"device":`...), states[0].Device)
	dst = append(render.AppendTime(append(dst, `,"ts":"`...), ts), `","values":{`...)
	for i, s := range states {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = render.AppendFloat(append(render.AppendString(dst, s.Metric), ':'), s.LastValue)
	}
	return append(dst, eventTail...)
}
