package streaming

import (
	"time"

	"telltale/modules/auth"
)

// Request is what a client asks of a stream.
type Request struct {
	Principal auth.Principal
	Selection
	// Filter is the id of a saved selection to be used, "" for none.
	Filter string
	// From is where to resume; nil means at the log's head.
	From *Position
	// Since, if From is nil, begins with the first batch committed at that time or later; zero means at the log's head.
	Since time.Time
	// Snapshot begins with the newest reading of each series.
	Snapshot bool
	// Every, if it is set, has newest readings sent at that pace instead of every event.
	Every time.Duration
	// Buckets, if it is set, has closed buckets sent instead of readings.
	Buckets *BucketRequest
	// Slow is what happens when the viewer stays behind.
	Slow slowness
	// Changes is how many changes of credentials there had been before these were checked.
	Changes int64
	// Address and ID are the client's address and the request's id, for limits and the log.
	Address, ID string
}
