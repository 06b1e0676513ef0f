package streaming

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/streaming/admission"
	"telltale/modules/streaming/backlog"
	"telltale/modules/streaming/budget"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/filter"
	"telltale/modules/streaming/livebucket"
	"telltale/modules/streaming/metrics"
	"telltale/modules/streaming/newest"
	"telltale/modules/streaming/request"
	"telltale/modules/streaming/roster"
	"telltale/modules/streaming/wire"
	"telltale/platform/hangup"
)

const (
	// encodedBytes bounds the encoded parts of batches that are kept. A part that was evicted is encoded again when a viewer needs it.
	encodedBytes = 16 << 20
	// backlogBytes bounds the batches that are kept for viewers that read the same part of the log.
	backlogBytes = 32 << 20
	// digestBytes bounds the newest readings, and the buckets, that are held for all viewers together until their sockets
	// have taken them. A viewer for which the budget has nothing left waits, or is refused a snapshot.
	digestBytes = 64 << 20
)

// Hub holds the viewers of this instance and the pumps that write to them.
type Hub struct {
	cfg                      config.Streaming
	window                   window
	table                    logTable
	checker                  checker
	registry                 registry
	newest                   *newest.Source
	encoded                  *event.Cache
	tagSets                  *filter.TagSets
	buckets                  *livebucket.Maker
	turns, loads             *backlog.Scheduler // of viewers that catch up, and of those among them that read the log table
	digests                  *budget.Bytes
	slowAfter, digestTimeout time.Duration
	bucketPace               time.Duration
	leastStamp               int64 // changed by tests
	recheckEvery             time.Duration
	backlog                  *backlog.Backlog
	admission                *admission.Limits
	metrics                  *metrics.Streams
	log                      *zap.Logger

	changes chan func(access.Principal) bool // each tells whose credentials have been changed
	changed atomic.Int64                     // how many such changes there have been

	loaded   <-chan struct{} // closed once the window has caught up with the log
	draining <-chan struct{} // closed when the server begins to stop

	pumps   []*pump
	alarms  *roster.Alarms[*viewer]
	hangups *hangup.Watcher // from Start on
	count   atomic.Int64    // viewers
	opened  atomic.Uint64   // how many streams, which are dealt to the pumps one after the other

	work   context.Context // of viewers that read the log table
	stop   context.CancelFunc
	joined sync.WaitGroup
}

// Sources is what a hub follows.
type Sources struct {
	Window   window
	Log      logTable
	Registry registry
	// Retention decides which newest readings may still be sent.
	Retention retention
	// History answers what buckets hold.
	History livebucket.History
	// Loaded is closed once the window has caught up with the log; until then streams are refused.
	Loaded <-chan struct{}
	// Draining is closed when the server begins to stop; that ends every stream.
	Draining <-chan struct{}
	Checker  checker
}

// NewHub returns a hub without viewers. It panics when registerer has its metrics already.
func NewHub(cfg config.Streaming, from Sources, registerer prometheus.Registerer, log *zap.Logger) *Hub {
	h := &Hub{
		cfg: cfg, window: from.Window, table: from.Log, checker: from.Checker, loaded: from.Loaded, draining: from.Draining,
		registry: from.Registry, encoded: event.NewCache(from.Registry, encodedBytes), tagSets: filter.NewTagSets(from.Registry),
		digests: budget.NewBytes(digestBytes), slowAfter: slowAfter, digestTimeout: digestTimeout, bucketPace: bucketPace,
		leastStamp: request.LeastStamp, recheckEvery: recheckInterval, backlog: backlog.New(from.Log, backlogBytes), admission: admission.New(cfg.MaxPerUser, cfg.MaxPerAddress), log: log,
		changes: make(chan func(access.Principal) bool, maxChanges), alarms: roster.NewAlarms[*viewer](),
	}
	h.turns, h.loads = backlog.NewScheduler(catchUps(runtime.GOMAXPROCS(0))), backlog.NewScheduler(backlog.MaxReads)
	h.newest = &newest.Source{Registry: from.Registry, Window: from.Window, Retention: from.Retention, Budget: h.digests}
	h.buckets = livebucket.NewMaker(h.bucketSources(from), livebucket.Defaults())
	h.metrics = metrics.New(registerer, h.furthest)
	h.work, h.stop = context.WithCancel(context.Background())
	for range pumpCount(runtime.GOMAXPROCS(0)) {
		h.pumps = append(h.pumps, newPump(h))
	}
	return h
}

// bucketSources returns what flushes of buckets are made of.
func (h *Hub) bucketSources(from Sources) livebucket.Sources {
	return livebucket.Sources{History: from.History, Window: from.Window, Backlog: h.backlog, Names: from.Registry, Budget: h.digests}
}

// pumpCount returns how many pumps a number of processors carry. One processor is left to the others while all pumps write, to
// the next commit above all: measured on two, that makes deliveries a tenth quicker and answers to posts a quarter, and
// fan-out no slower.
func pumpCount(processors int) int { return max(1, processors-1) }

// catchUps returns how many viewers catch up at once: half of the processors stay with ingest, history and who follows live.
func catchUps(processors int) int { return max(1, processors/2) }

// Start begins to serve viewers.
func (h *Hub) Start(context.Context) (err error) {
	if h.hangups, err = hangup.Open(); err != nil {
		return fmt.Errorf("watching connections: %w", err)
	}
	for _, p := range h.pumps {
		h.joined.Go(func() { p.run(h.work) })
	}
	h.checker.OnChange(h.noteChange)
	h.joined.Go(h.runAlarms)
	h.joined.Go(h.watch)
	h.joined.Go(h.windUp)
	h.joined.Go(h.followTags)
	return nil
}

// runAlarms has parked viewers do what it is time for.
func (h *Hub) runAlarms() {
	b := &beater{sender: wire.NewSender()}
	h.alarms.Run(h.work, func(v *viewer, now time.Time) { v.ring(now, b) })
}

// Stop ends every stream, if the server has not done so, and returns when the pumps have ended. The goroutines of viewers
// are the server's, which waits for them.
func (h *Hub) Stop(context.Context) error {
	h.endAll() // before what they wait for fails them
	h.stop()
	h.joined.Wait()
	return h.hangups.Close()
}

func (h *Hub) viewers() int { return int(h.count.Load()) }

// windUp ends every stream when the server stops, and whatever waits for the database.
func (h *Hub) windUp() {
	select {
	case <-h.draining:
		h.endAll()
		h.stop()
	case <-h.work.Done():
	}
}

func (h *Hub) endAll() {
	if open := h.viewers(); open > 0 {
		h.log.Info("ending every stream: the server stops", zap.Int("viewers", open))
	}
	for _, p := range h.pumps {
		p.endAll(stopping)
	}
}

// tagsInterval is how often the tags that viewers filter by are looked up again: that long after a change, every instance knows
// of it.
const tagsInterval = time.Second

// followTags keeps up with what tags devices have.
func (h *Hub) followTags() {
	ticker := time.NewTicker(tagsInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			// A filter that meets a new device refreshes by itself, and reports its own error.
			_ = h.tagSets.Refresh(h.work)
		case <-h.work.Done():
			return
		}
	}
}
