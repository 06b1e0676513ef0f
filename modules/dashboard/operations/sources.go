package operations

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"telltale/modules/readings/batchlog"
	"telltale/platform/postgres"
)

// Sources are where figures come from. All but Storage answer from memory, at once.
type Sources struct {
	// Pool returns the use of the database's connections, false while there are none.
	Pool func() (postgres.PoolUse, bool)
	// Commits returns what has been committed since the start, Queued the bytes that wait for it.
	Commits func() batchlog.Tally
	Queued  func() int
	Window  func() batchlog.Stats
	Series  func() int
	// Metrics are those of the program, for Prometheus.
	Metrics prometheus.Gatherer
	// Storage asks the database how much it holds.
	Storage func(context.Context) (Storage, error)
}

// snapshot is what the sources say at one time. Rates are made of two.
type snapshot struct {
	at      time.Time
	pool    postgres.PoolUse
	hasPool bool
	commits batchlog.Tally
	queued  int
	window  batchlog.Stats
	series  int
	metrics families
	storage Storage
}

func (s Sources) snapshot(storage Storage) *snapshot {
	now := &snapshot{
		at: time.Now(), commits: s.Commits(), queued: s.Queued(), window: s.Window(), series: s.Series(), storage: storage,
		metrics: gather(s.Metrics),
	}
	now.pool, now.hasPool = s.Pool()
	return now
}
