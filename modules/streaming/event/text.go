package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"telltale/modules/readings/render"
	"telltale/modules/series"
)

// usualRetry is how long a client waits before it reconnects after a broken connection.
const usualRetry = 3 * time.Second

// AppendOpening begins a stream that resumes.
func AppendOpening(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, ": connected\nretry: "...), usualRetry.Milliseconds(), 10)
	return append(dst, "\n\n"...)
}

// AppendPosition tells the client its position without a reading. So a client that reconnects before its first reading, or after
// a long time without one, misses nothing and need not search the log from long ago.
//
// By the specification of EventSource an id without data would suffice, and dispatch nothing. But some clients (the npm package
// eventsource) take ids only from events that they dispatch; hence an event of its own kind, which pages can ignore.
func AppendPosition(dst []byte, p Position) []byte {
	dst = append(p.AppendTo(append(dst, "event: position\nid: "...)), "\ndata: {\"seq\":"...)
	return append(strconv.AppendInt(dst, p.Stamp, 10), "}\n\n"...)
}

// Heartbeat is a comment that keeps proxies and clients from considering the connection dead.
const Heartbeat = ":\n\n"

// AppendID begins an event with its id.
func AppendID(dst []byte, p Position) []byte { return append(p.AppendTo(append(dst, "id: "...)), '\n') }

// Gap is the data of an event that says which part of the log this viewer does not get.
type Gap struct {
	// Reason is "retention" when that part of the log has been dropped, "slow" when the viewer fell behind and asked for gaps,
	// "limit" when there were more buckets than are sent, "deleted" when buckets may have lost all of their readings, and
	// "unknown" when the viewer's position is not one of this log's, as after a restore from a backup.
	Reason string `json:"reason"`
	// From (inclusive) and To (exclusive) bound the times of the missing readings, RFC 3339; null when unknown.
	From    *string `json:"from"`
	To      *string `json:"to"`
	FromSeq int64   `json:"from_seq"`
	ToSeq   int64   `json:"to_seq"`
	// URL answers with the readings that history has of the range, filtered as the stream is.
	URL string `json:"url"`
}

// AppendGap appends the event of a gap, with the position after it.
func AppendGap(dst []byte, after Position, data Gap) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // who follows in a terminal copies the URL from there
	if err := encoder.Encode(data); err != nil {
		return dst, fmt.Errorf("encoding a gap: %w", err)
	}
	dst = append(after.AppendTo(append(dst, "event: gap\nid: "...)), "\ndata: "...)
	return append(append(dst, text.Bytes()...), '\n'), nil // the encoder ends the line, this the event
}

// AppendValues ends an event with the values of states, all of one device. ts is their time, in Unix ms.
func AppendValues(dst []byte, states []series.State, ts int64) []byte {
	dst = render.AppendString(append(dst, `data: {"device":`...), states[0].Device)
	dst = append(render.AppendTime(append(dst, `,"ts":"`...), ts), `","values":{`...)
	for i, s := range states {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = render.AppendFloat(append(render.AppendString(dst, s.Metric), ':'), s.LastValue)
	}
	return append(dst, Tail...)
}
