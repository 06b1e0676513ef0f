// Package streaming lets viewers follow the log live, over Server-Sent Events.
//
// A viewer is a filter and a cursor into the log, never a queue. At first a goroutine of its own reads on, from the recent
// window or, further back, from the log table, as fast as the socket takes it. Once nothing is left the viewer parks, and
// that goroutine ends. From then on others do what there is to do: pumps, a few for all viewers together, write each new
// batch to the parked ones, alarms write heartbeats, neither ever waiting for a socket, and package hangup tells when a client
// has closed its connection. A socket that does not take everything at once makes its viewer read on by itself again, from
// its cursor.
//
// So an idle viewer costs its connection and some two kilobytes, a slow one delays nobody and holds at most the rest of one
// event in memory, and an event is encoded once (sheet) however many viewers see it.
package streaming

import (
	"context"
	"time"

	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/modules/readings"
)

// window is the recent window.
type window interface {
	Head() int64
	Next(seq int64) (batches []*readings.Batch, changed <-chan struct{}, ok bool)
	Replaced() (times int, head int64)
}

// logTable is the log as the database has it.
type logTable interface {
	Read(ctx context.Context, after int64, readings int) ([]*readings.Batch, error)
	Missing(ctx context.Context, after int64) (readings.Missing, bool, error)
	State(ctx context.Context) (readings.State, error)
	Seek(ctx context.Context, at time.Time) (after int64, whole bool, err error)
	Extent(ctx context.Context, after, last int64) (readings.Missing, error)
}

// nameTable knows the names behind series ids.
type nameTable interface {
	ByID(id int32) (devices.Series, bool)
}

// registry knows every series, and the newest reading of each.
type registry interface {
	nameTable
	directory
	Select(devices, metrics []string) []devices.SeriesState
	Capture(w devices.Wanted, most int) (states []devices.SeriesState, seq int64, ok bool)
	Size() int
}

// retention tells whether the newest reading of a series is still kept.
type retention interface {
	Keeps(newest devices.SeriesState) bool
}

// checker tells whether credentials are still good.
type checker interface {
	Recheck(ctx context.Context, p auth.Principal) error
	OnChange(changed func(concerns func(auth.Principal) bool))
}

// reason says why a stream ended; it is in the log line about the stream and a label of the metrics.
type reason string

// The ways out of a stream.
const (
	clientGone    reason = "client gone"     // the client closed the connection, or it broke
	tooSlow       reason = "too slow"        // the client's socket took nothing for the write timeout, or a page not within its time
	tokenExpired  reason = "token expired"   // the credentials' own end has come
	tokenRefused  reason = "token refused"   // the credentials were revoked, or cover something else now
	stopping      reason = "server stopping" // the server drains
	failed        reason = "failed"          // something of ours failed, as the log says
	logUnreadable reason = "log unreadable"  // the log table could not be read; the client resumes later
)
