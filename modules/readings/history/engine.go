package history

import (
	"cmp"
	"sync/atomic"
	"time"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/turns"
	"telltale/modules/series"
	"telltale/platform/postgres"
)

// Engine answers queries. Its methods are safe for concurrent use.
type Engine struct {
	db        *postgres.DB
	tail      *batchlog.Tail
	window    *batchlog.Window
	registry  *series.Registry
	retention retention
	limits    Limits

	months atomic.Int64 // partitions of chunks that are known to have been made, -1 before any is; a scan finds out when there are more
}

// retention says how long readings are kept.
type retention interface {
	// Floor returns the first instant, in Unix ms, of which readings are kept for that many days.
	Floor(days int) int64
	// Keeps reports whether the newest reading of a series is still kept.
	Keeps(newest series.State) bool
}

// Limits bound what queries take.
type Limits struct {
	// Timeout is how long a query may run.
	Timeout time.Duration
	// MaxPoints is how many points an answer has at most, unless it is a page.
	MaxPoints int
	// Gate has the permits of the queries that run at once. They are fewer than the pool has connections, so that history never
	// keeps readings from being stored.
	Gate *turns.Gate
	// Kept counts the bytes of chunks that queries keep in memory while their clients do not read; nil stands for a counter of
	// the engine's own. Only tests look at it, and give the next one.
	Kept *atomic.Int64
	// BucketValues is how many values of a bucket percentiles are made of; 0 stands for the usual 4,194,304.
	BucketValues int64
}

// New returns an engine that answers with what the tail's window and chunks hold.
func New(
	db *postgres.DB, tail *batchlog.Tail, window *batchlog.Window, registry *series.Registry, kept retention, limits Limits,
) *Engine {
	limits.BucketValues = cmp.Or(limits.BucketValues, maxBucketValues)
	limits.Kept = cmp.Or(limits.Kept, new(atomic.Int64))
	e := &Engine{
		db: db, tail: tail, window: window, registry: registry, retention: kept, limits: limits,
	}
	e.months.Store(-1)
	return e
}
