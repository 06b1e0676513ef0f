// Package streaming lets viewers follow the log live, over Server-Sent Events. It owns the open streams: the Hub opens and ends
// them; viewers are a filter and a cursor into the log, never a queue; pumps and alarms write to them.
//
// At first a viewer has a goroutine that brings it up to date, as fast as the socket takes events. Once nothing is left the viewer
// parks and the goroutine ends. From then on pumps, a few for all viewers, write each new batch to the parked viewers, and alarms
// write heartbeats; neither waits for a socket. When a socket takes only a part, its viewer continues from its cursor in a
// goroutine. So an idle viewer costs its connection and about two kilobytes, and a slow viewer delays no other.
//
// The packages beneath know the format of events, permissions, requests, and which buckets are due.
package streaming

import (
	"context"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
)

// window is the recent window. Positions in the log are stamps here, as everywhere in this package.
type window interface {
	Head() int64
	Next(stamp int64) (batches []*batchlog.Batch, changed <-chan struct{}, ok bool)
	Names(stamp int64) (named, sure bool)
	Behind(seq int64) int64
	Replaced() (times int, head int64)
}

// logTable is the log as the database has it.
type logTable interface {
	ReadAfter(ctx context.Context, stamp int64, readings int) ([]*batchlog.Batch, error)
	Missing(ctx context.Context, after int64) (batchlog.Missing, bool, error)
	Locate(ctx context.Context, stamp int64) (batchlog.Location, error)
	Seek(ctx context.Context, at time.Time) (after int64, whole bool, err error)
	Extent(ctx context.Context, after, last int64) (batchlog.Missing, error)
}

// nameTable knows the names behind series ids.
type nameTable interface {
	ByID(id int32) (series.Series, bool)
}

// registry knows every series, and the newest reading of each.
type registry interface {
	nameTable
	Tagged(ctx context.Context, tags []string) (map[string]bool, error)
	Select(devices, metrics []string) []series.State
	Capture(w series.Wanted, most int) (states []series.State, stamp int64, ok bool)
	Size() int
	Settled() int64
	SettledSince(number int64) (ids []int32, ok bool)
}

// retention tells whether the newest reading of a series is still kept.
type retention interface {
	Keeps(newest series.State) bool
}

// checker tells whether credentials are still good.
type checker interface {
	Recheck(ctx context.Context, p access.Principal) error
	OnChange(changed func(concerns func(access.Principal) bool))
}

// reason says why a stream ended; it is in the log line about the stream and a label of the metrics.
type reason string

// The ways out of a stream.
const (
	clientGone    reason = "client gone"     // the client closed the connection, or it broke
	tooSlow       reason = "too slow"        // the client's socket took nothing for the write timeout, or a digest not within its time
	tokenExpired  reason = "token expired"   // the credentials' own end has come
	tokenRefused  reason = "token refused"   // the credentials were revoked, or cover something else now
	stopping      reason = "server stopping" // the server drains
	failed        reason = "failed"          // something of ours failed, as the log says
	logUnreadable reason = "log unreadable"  // the log table could not be read; the client resumes later
)
