package streaming

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"time"

	"telltale/modules/readings"
	"telltale/modules/readings/render"
)

// What a stream says besides readings.
const (
	// usualRetry is how long a client waits before it comes back after a broken connection.
	usualRetry = 3 * time.Second
	// leastRetry and spreadPerViewer spread the return of the viewers of a server that stops: about a thousand a second.
	leastRetry      = time.Second
	leastSpread     = 4 * time.Second
	spreadPerViewer = time.Millisecond
)

// appendOpening begins a stream that resumes.
func appendOpening(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, ": connected\nretry: "...), usualRetry.Milliseconds(), 10)
	return append(dst, "\n\n"...)
}

// appendPosition tells the client where it is although it got no reading: one that comes back before its first reading, or
// after a long time without any, neither misses anything nor has to search the log from long ago.
//
// By the specification of EventSource an id without data would do, and dispatch nothing. But some clients (the npm
// package eventsource) take ids only from events that they dispatch, hence an event of its own kind, for which pages
// need not listen.
func appendPosition(dst []byte, p Position) []byte {
	dst = append(p.append(append(dst, "event: position\nid: "...)), "\ndata: {\"seq\":"...)
	return append(strconv.AppendInt(dst, p.Seq, 10), "}\n\n"...)
}

// heartbeat is bytes that keep proxies and clients from taking the connection for dead.
const heartbeat = ":\n\n"

// farewell ends a stream, or is empty when nobody listens any more.
func farewell(why reason, viewers int) string {
	switch why {
	case stopping:
		spread := max(leastSpread, time.Duration(viewers)*spreadPerViewer)
		return fmt.Sprintf(": %s\nretry: %d\n\n", why, (leastRetry + rand.N(spread)).Milliseconds()) //nolint:gosec // no secret
	case tokenExpired, tokenRefused, logUnreadable:
		return fmt.Sprintf(": %s\n\n", why)
	}
	return ""
}

// gap is the data of an event that says what of the log this viewer does not get.
type gap struct {
	// Reason is "retention" when that part of the log has been dropped, "slow" when the viewer stayed behind and asked for
	// gaps, "limit" when there were more buckets than are sent, and "unknown" when it has a place that this log has
	// never had, as after a restore from a backup.
	Reason string `json:"reason"`
	// From (inclusive) and To (exclusive) are between when the readings were taken, RFC 3339; null when that is unknown.
	From    *string `json:"from"`
	To      *string `json:"to"`
	FromSeq int64   `json:"from_seq"`
	ToSeq   int64   `json:"to_seq"`
	// URL answers with the readings that history has of the range, filtered as the stream is.
	URL string `json:"url"`
}

// coarse is what the times in gap events are multiples of for whoever does not see all devices, in ms.
const coarse = int64(time.Hour / time.Millisecond)

// veil returns what the request's credentials may know of a part of the log that is gone: when exactly hidden devices
// reported is nobody's business, and nobody knows any more which of the readings were whose.
func (r *Request) veil(m readings.Missing) readings.Missing {
	if !r.Principal.SeesAll() && (m.MinTS != 0 || m.MaxTS != 0) {
		m.MinTS -= (m.MinTS%coarse + coarse) % coarse
		m.MaxTS += coarse - 1 - (m.MaxTS%coarse+coarse)%coarse
	}
	return m
}

// appendGap tells of a part of the log that is gone.
func appendGap(dst []byte, why string, m readings.Missing, asked Selection) ([]byte, error) {
	from, to := string(render.AppendTime(nil, m.MinTS)), string(render.AppendTime(nil, m.MaxTS+1))
	return appendGapEvent(dst, Position{Seq: m.LastSeq}, gap{
		Reason: why, From: &from, To: &to, FromSeq: m.FirstSeq, ToSeq: m.LastSeq,
		URL: historyURL(asked, from, to),
	})
}

// appendReset tells a viewer whose position is ahead of the log that it goes on at the log's head.
func appendReset(dst []byte, claimed, at Position, url string) ([]byte, error) {
	return appendGapEvent(dst, at, gap{Reason: "unknown", FromSeq: claimed.reached(), ToSeq: at.Seq, URL: url})
}

func appendGapEvent(dst []byte, after Position, data gap) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // who follows in a terminal copies the URL from there
	if err := encoder.Encode(data); err != nil {
		return dst, fmt.Errorf("encoding a gap: %w", err)
	}
	dst = append(after.append(append(dst, "event: gap\nid: "...)), "\ndata: "...)
	return append(append(dst, text.Bytes()...), '\n'), nil // the encoder ends the line, this the event
}

// maxURLWords bounds the devices, and the metrics, in the URL of a gap: servers do not take any length of it.
const maxURLWords = 100

func historyURL(asked Selection, from, to string) string {
	return historyURLWith(url.Values{}, asked, from, to)
}

// historyURL returns where history has what the stream would have had, readings or buckets.
func (r *Request) historyURL(from, to string) string {
	query := url.Values{}
	if b := r.Buckets; b != nil {
		query.Set("interval", b.Interval.String())
		for _, aggregate := range b.Aggregates {
			query.Add("agg", string(aggregate))
		}
		if b.Zone != time.UTC {
			query.Set("tz", b.Zone.String())
		}
	}
	return historyURLWith(query, r.Selection, from, to)
}

func historyURLWith(query url.Values, asked Selection, from, to string) string {
	for name, values := range map[string][]string{"device": asked.Devices, "metric": asked.Metrics, "tag": asked.Tags} {
		if len(values) > 0 && len(values) <= maxURLWords {
			query[name] = values
		}
	}
	if from != "" {
		query.Set("from", from)
		query.Set("to", to)
	}
	if len(query) == 0 {
		return "/api/readings"
	}
	return "/api/readings?" + query.Encode()
}
