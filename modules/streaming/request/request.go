// Package request parses what a client asks of a stream, from the parameters of a URL or from a body. It also derives answers from
// the request: where history has what a gap left out, and what the credentials may know of a gap.
//
// Parse is strict: it names every error in the parameters. FromQuery tolerates what EventSource substitutes put into URLs. The
// package opens no stream and sends no statement to the database.
package request

import (
	"time"

	"telltale/modules/readings/bucket"

	"telltale/modules/auth/access"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/filter"
)

// Request is what a client asks of a stream.
type Request struct {
	Principal access.Principal
	filter.Selection
	// Filter is the id of a saved filter whose selection to use, "" for none.
	Filter string
	// From is where to resume; nil means at the log's head.
	From *event.Position
	// Lost says that the client's position could not be read: the client is told so, and continues at the log's head.
	Lost bool
	// Since, if From is nil, begins with the first batch committed at that time or later; zero means at the log's head.
	Since time.Time
	// Snapshot begins with the newest reading of each series.
	Snapshot bool
	// Every, if it is set, has newest readings sent at that pace instead of every event.
	Every time.Duration
	// Buckets, if it is set, has closed buckets sent instead of readings.
	Buckets *Buckets
	// Slow is what happens when the viewer falls behind.
	Slow Slowness
	// Changes is how many changes of credentials had happened before these were checked.
	Changes int64
	// Address and ID are the client's address and the request's id, for limits and the log.
	Address, ID string
}

// Buckets asks for closed buckets rather than readings.
type Buckets struct {
	Interval   bucket.Interval
	Aggregates []bucket.Aggregate
	Zone       *time.Location
}

// Slowness is what happens to a viewer that falls behind.
type Slowness string

// The kinds of slowness. Without a choice it is Replay.
const (
	Replay     Slowness = "replay"     // it gets everything, from the log, as long as it takes something
	Coalesce   Slowness = "coalesce"   // it gets the newest reading of each series, and then goes on live
	SkipAhead  Slowness = "gap"        // it gets a gap event, and then goes on live
	Disconnect Slowness = "disconnect" // its stream ends; it may resume
)
