package livebucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"telltale/modules/readings/history"

	"telltale/modules/readings/batchlog"
	"telltale/modules/streaming/event"
	"telltale/platform/fault"
)

// builder makes one flush, for a viewer that asks a question at a position.
type builder struct {
	*Maker
	question *Question
	at       event.Position
	rows     Rows
	gaps     []event.Gap
	// tooLong is set when the last query took too long: half of it probably would, too.
	tooLong bool
}

// build makes the flush from the viewer's position towards the log's head and the buckets that are closed now. It queries history
// after it has read the log, so that the answers are true as of the log's head or later.
func (m *Maker) build(ctx context.Context, q *Question, at Point) (*Flush, error) {
	b := builder{Maker: m, question: q, at: at.Position, rows: Rows{most: m.limits.Rows}}
	from, head := at.Position, max(at.Stamp, m.from.Window.Head())
	closed := max(at.Until, m.Closed(q))
	to := event.Position{Stamp: head, Until: closed}
	if !q.nothing {
		found, err := m.look(ctx, q, at, head)
		if err != nil {
			return nil, err
		}
		to.Stamp = found.stamp
		b.tellMissing(found.missing)
		b.tellDeleted(found.deleted)
		if err := b.askLate(ctx, found, to.Stamp); err != nil {
			return nil, err
		}
		if to.Until, err = b.askClosed(ctx, to); err != nil {
			return nil, err
		}
	}
	f := &Flush{from: from, To: to, Gaps: len(b.gaps), budget: m.from.Budget, More: to.Stamp < head || to.Until < closed}
	return f, b.write(f)
}

// tellMissing adds gap events for readings that the log no longer has, as far as they may belong to buckets that the viewer has
// got.
func (b *builder) tellMissing(missing []batchlog.Missing) {
	for _, gone := range missing {
		gone = b.question.request.Veil(gone)
		if (gone.MinTS != 0 || gone.MaxTS != 0) && gone.MinTS < b.at.Until {
			_, end := b.question.buckets.Bounds(gone.MaxTS)
			start, _ := b.question.buckets.Bounds(gone.MinTS)
			b.tell("retention", start, min(end, b.at.Until), gone.FirstStamp, gone.LastStamp)
		}
	}
}

// tell adds a gap event: buckets within [from, to) may have changed, or closed, without being sent.
func (b *builder) tell(reason string, from, to, fromStamp, toStamp int64) {
	b.gaps = append(b.gaps, b.question.request.GapBetween(reason, from, to, fromStamp, toStamp))
}

// askLate queries the buckets that late readings have changed.
func (b *builder) askLate(ctx context.Context, found changes, head int64) error {
	from := b.at.Stamp + 1
	if found.more {
		b.tell("limit", found.from, found.to, from, head)
		return nil
	}
	b.rows.only = found.names
	for _, r := range found.stretches(b.question) {
		q := b.question.query
		q.From, q.To = r[0], r[1]
		q.Devices, q.Metrics = found.within(r[0], r[1])
		ok, err := b.ask(ctx, q)
		if err != nil {
			return err
		}
		if !ok {
			b.tell("limit", r[0], r[1], from, head)
		}
	}
	b.rows.only = nil
	return nil
}

// askClosed queries the buckets that have closed, as many as fit, and returns the time up to which it did.
func (b *builder) askClosed(ctx context.Context, to event.Position) (until int64, err error) {
	from, buckets := b.at.Until, b.question.buckets
	count := buckets.Count(from, to.Until)
	if count > int64(b.limits.Behind) {
		b.tell("limit", from, to.Until, to.Stamp, to.Stamp)
		return to.Until, nil
	}
	for until := to.Until; count > 0; count /= 2 {
		q := b.question.query
		q.From, q.To = from, until
		if ok, err := b.ask(ctx, q); ok || err != nil {
			return until, err
		}
		if count == 1 || b.tooLong {
			b.tell("limit", from, until, to.Stamp, to.Stamp)
			return until, nil
		}
		until = from
		for range count / 2 {
			_, until = buckets.Bounds(until)
		}
	}
	return to.Until, nil
}

// ask adds the answer to a query to rows. ok is false when the answer exceeds what history gives or what fits, or cannot be read
// in time.
func (b *builder) ask(ctx context.Context, q history.Query) (ok bool, err error) {
	before := len(b.rows.rows)
	err = b.from.History(ctx, b.question.request.Principal, q, &b.rows)
	b.tooLong = errors.Is(err, history.ErrTooLong)
	if errors.Is(err, errTooMany) || fault.KindOf(err) == fault.Invalid || b.tooLong {
		b.rows.truncate(before)
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking for buckets: %w", err)
	}
	return true, nil
}

// write makes the text of the flush: gaps, then buckets in the order of time. An event has an id where a viewer has got a
// complete group: the last of the changed buckets, and the last of those that closed together. So a client whose connection
// breaks again and again still advances.
func (b *builder) write(f *Flush) error {
	b.rows.sort()
	rows := b.rows.rows
	for i, g := range b.gaps {
		data, err := json.Marshal(g)
		if err != nil {
			return fmt.Errorf("encoding a gap: %w", err)
		}
		if i == len(b.gaps)-1 && len(rows) == 0 {
			f.text = event.AppendID(f.text, f.To)
		}
		f.text = append(append(append(f.text, "event: gap\ndata: "...), data...), "\n\n"...)
	}
	for len(rows) > 0 {
		n := eventRows(rows)
		switch at, rest := rows[0].ts, rows[n:]; {
		case len(rest) == 0:
			f.text = event.AppendID(f.text, f.To)
		case at < f.from.Until && rest[0].ts >= f.from.Until, at >= f.from.Until && rest[0].ts > at:
			f.text = event.AppendID(f.text, event.Position{Stamp: f.To.Stamp, Until: rest[0].ts})
		}
		f.text = b.rows.appendEvent(f.text, rows[:n], b.question.request.Buckets)
		rows = rows[n:]
	}
	return nil
}
