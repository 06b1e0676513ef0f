package streaming

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"telltale/modules/readings"
	"telltale/modules/readings/render"
	"telltale/platform/fault"
)

// maker makes one flush.
type maker struct {
	*closer
	viewer *viewer
	rows   bucketRows
	gaps   []gap
	// tooLong is set when the last question took longer than one may: half of it would most likely, too.
	tooLong bool
}

// make makes the flush from the viewer's place towards the log's head and the buckets that are closed now. What history is
// asked after the log has been looked through is true as of its head at least.
func (c *closer) make(ctx context.Context, v *viewer) (*flush, error) {
	m := maker{closer: c, viewer: v, rows: bucketRows{most: c.maxRows}}
	from, head := v.pos, max(v.pos.Seq, c.window.Head())
	closed := max(v.pos.Until, c.closed(v.buckets))
	to := Position{Seq: head, Until: closed}
	if !v.buckets.nothing {
		found, err := c.look(ctx, v, head)
		if err != nil {
			return nil, err
		}
		to.Seq = found.seq
		m.tellMissing(found.missing)
		if err := m.askLate(ctx, found, to.Seq); err != nil {
			return nil, err
		}
		if to.Until, err = m.askClosed(ctx, to); err != nil {
			return nil, err
		}
	}
	f := &flush{from: from, to: to, gaps: len(m.gaps), room: c.room, more: to.Seq < head || to.Until < closed}
	return f, m.write(f)
}

// tellMissing tells of readings that the log no longer has, as far as they may be of buckets that the viewer has got.
func (m *maker) tellMissing(missing []readings.Missing) {
	for _, gone := range missing {
		gone = m.viewer.request.veil(gone)
		if (gone.MinTS != 0 || gone.MaxTS != 0) && gone.MinTS < m.viewer.pos.Until {
			_, end := m.viewer.buckets.buckets.Bounds(gone.MaxTS)
			start, _ := m.viewer.buckets.buckets.Bounds(gone.MinTS)
			m.tell("retention", start, min(end, m.viewer.pos.Until), gone.FirstSeq, gone.LastSeq)
		}
	}
}

// tell has a gap event say that buckets within [from, to) may have changed, or closed, without being sent.
func (m *maker) tell(reason string, from, to, fromSeq, toSeq int64) {
	first, last := string(render.AppendTime(nil, from)), string(render.AppendTime(nil, to))
	m.gaps = append(m.gaps, gap{
		Reason: reason, From: &first, To: &last, FromSeq: fromSeq, ToSeq: toSeq, URL: m.viewer.request.historyURL(first, last),
	})
}

// askLate asks for the buckets that late readings have changed.
func (m *maker) askLate(ctx context.Context, found changes, head int64) error {
	from := m.viewer.pos.Seq + 1
	if found.more {
		m.tell("limit", found.from, found.to, from, head)
		return nil
	}
	m.rows.only = found.names
	for _, r := range found.stretches(m.viewer.buckets) {
		q := m.viewer.buckets.query
		q.From, q.To = r[0], r[1]
		q.Devices, q.Metrics = found.within(r[0], r[1])
		ok, err := m.question(ctx, q)
		if err != nil {
			return err
		}
		if !ok {
			m.tell("limit", r[0], r[1], from, head)
		}
	}
	m.rows.only = nil
	return nil
}

// askClosed asks for the buckets that have closed, as many as fit, and returns up to when that is.
func (m *maker) askClosed(ctx context.Context, to Position) (until int64, err error) {
	from, buckets := m.viewer.pos.Until, m.viewer.buckets.buckets
	count := buckets.Count(from, to.Until)
	if count > int64(m.maxSpan) {
		m.tell("limit", from, to.Until, to.Seq, to.Seq)
		return to.Until, nil
	}
	for until := to.Until; count > 0; count /= 2 {
		q := m.viewer.buckets.query
		q.From, q.To = from, until
		if ok, err := m.question(ctx, q); ok || err != nil {
			return until, err
		}
		if count == 1 || m.tooLong {
			m.tell("limit", from, until, to.Seq, to.Seq)
			return until, nil
		}
		until = from
		for range count / 2 {
			_, until = buckets.Bounds(until)
		}
	}
	return to.Until, nil
}

// question puts the answer to a query into rows; ok is false when that is more than history gives, than
// fits, or than can be read in time.
func (m *maker) question(ctx context.Context, q readings.Query) (ok bool, err error) {
	before := len(m.rows.rows)
	err = m.ask(ctx, m.viewer.request.Principal, q, &m.rows)
	m.tooLong = errors.Is(err, readings.ErrTooLong)
	if errors.Is(err, errTooMany) || fault.KindOf(err) == fault.Invalid || m.tooLong {
		m.rows.cut(before)
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking for buckets: %w", err)
	}
	return true, nil
}

// write makes the text of the flush: gaps, then buckets in the order of time. The last event before each place that a viewer
// may have come to by then has its id: the last of the changed buckets, and the last of those that closed together. So also
// a client whose connection breaks again and again gets further.
func (m *maker) write(f *flush) error {
	m.rows.sort()
	rows := m.rows.rows
	for i, g := range m.gaps {
		data, err := json.Marshal(g)
		if err != nil {
			return fmt.Errorf("encoding a gap: %w", err)
		}
		if i == len(m.gaps)-1 && len(rows) == 0 {
			f.text = appendID(f.text, f.to)
		}
		f.text = append(append(append(f.text, "event: gap\ndata: "...), data...), "\n\n"...)
	}
	for len(rows) > 0 {
		n := eventRows(rows)
		switch at, rest := rows[0].ts, rows[n:]; {
		case len(rest) == 0:
			f.text = appendID(f.text, f.to)
		case at < f.from.Until && rest[0].ts >= f.from.Until, at >= f.from.Until && rest[0].ts > at:
			f.text = appendID(f.text, Position{Seq: f.to.Seq, Until: rest[0].ts})
		}
		f.text = m.rows.append(f.text, rows[:n], m.viewer.request.Buckets)
		rows = rows[n:]
	}
	return nil
}

func appendID(dst []byte, p Position) []byte { return append(p.append(append(dst, "id: "...)), '\n') }
