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
	"telltale/modules/auth"
	"telltale/platform/fault"
	"telltale/platform/hangup"
	"telltale/platform/httpserver"
)

// startPatience is how long a stream may wait for the server to have started, before it is refused. Proxies wait a minute.
const startPatience = 30 * time.Second

// Hub holds the viewers of this instance and the pumps that write to them.
type Hub struct {
	cfg                    config.Streaming
	window                 window
	table                  logTable
	checker                checker
	registry               registry
	retention              retention
	sheets                 *sheets
	labels                 *labels
	closer                 *closer
	pages                  *room
	lists                  *room
	slowAfter, pageTimeout time.Duration
	recheckEvery           time.Duration
	backlog                *backlog
	tickets                *tickets
	metrics                *metrics
	log                    *zap.Logger

	changes chan func(auth.Principal) bool // each tells whose credentials have been changed
	changed atomic.Int64                   // how many such changes there have been

	loaded   <-chan struct{} // closed once the window has caught up with the log
	draining <-chan struct{} // closed when the server begins to stop

	pumps   []*pump
	alarms  *alarms
	hangups *hangup.Watcher // from Start on
	count   atomic.Int64    // viewers
	turn    atomic.Uint64

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
	History ask
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
		registry: from.Registry, retention: from.Retention, sheets: newSheets(from.Registry), labels: newLabels(from.Registry),
		pages: newRoom(pageBytes), lists: newRoom(listBytes), slowAfter: slowAfter, pageTimeout: pageTimeout,
		recheckEvery: recheckInterval, backlog: newBacklog(from.Log), tickets: newTickets(cfg.MaxPerUser, cfg.MaxPerAddress), log: log,
		changes: make(chan func(auth.Principal) bool, maxChanges), alarms: newAlarms(),
	}
	h.closer = newCloser(from, h.backlog, h.pages)
	h.metrics = newMetrics(registerer, h.furthest)
	h.work, h.stop = context.WithCancel(context.Background())
	for range pumpCount(runtime.GOMAXPROCS(0)) {
		h.pumps = append(h.pumps, newPump(h))
	}
	return h
}

// pumpCount returns how many pumps so many processors carry. One processor is left to the others while all pumps write, to
// the next commit above all: measured on two, that makes deliveries a tenth quicker and answers to posts a quarter, and
// fan-out no slower.
func pumpCount(processors int) int { return max(1, processors-1) }

// Start begins to serve viewers.
func (h *Hub) Start(context.Context) (err error) {
	if h.hangups, err = hangup.Open(); err != nil {
		return fmt.Errorf("watching connections: %w", err)
	}
	for _, p := range h.pumps {
		h.joined.Go(func() { p.run(h.work) })
	}
	h.checker.OnChange(h.noteChange)
	h.joined.Go(func() { h.alarms.run(h.work) })
	h.joined.Go(h.watch)
	h.joined.Go(h.windUp)
	h.joined.Go(h.followTags)
	return nil
}

// Stop ends every stream, if the server has not done so, and returns when the pumps have ended. The goroutines of viewers
// are the server's, which waits for them.
func (h *Hub) Stop(context.Context) error {
	h.endAll() // before what they wait for fails them
	h.stop()
	h.joined.Wait()
	return h.hangups.Close()
}

// await returns once the hub can serve, or when it will not soon: then Open says so.
func (h *Hub) await(ctx context.Context) {
	select {
	case <-h.loaded:
		return
	default:
	}
	timer := time.NewTimer(startPatience)
	defer timer.Stop()
	select {
	case <-h.loaded:
	case <-h.draining:
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Open returns the function that serves a stream, to be run on a connection once its response header has been sent. Every
// reading whose batch comes after the call is in the stream, if it is one of those asked for.
//
// It returns a TooManyRequests fault when there are too many streams, Unavailable while there is nothing to follow or no room
// for what the viewer would hold, and Invalid for a snapshot of too many series.
func (h *Hub) Open(ctx context.Context, r Request) (func(*httpserver.Socket), error) {
	select {
	case <-h.loaded:
	default:
		return nil, fault.Busy(time.Second, nil, "the log is still being loaded")
	}
	ticket, err := h.tickets.issue(r.Principal, r.Address)
	if err != nil {
		return nil, err
	}
	v, err := h.prepare(ctx, &r, ticket)
	if err != nil {
		ticket.release()
		return nil, err
	}
	return v.serve, nil
}

// prepare returns a viewer that knows where it begins.
func (h *Hub) prepare(ctx context.Context, r *Request, ticket *ticket) (*viewer, error) {
	if err := h.keepLists(r.Selection, ticket); err != nil {
		return nil, err
	}
	tags := h.labels.join(r.Tags)
	if tags != nil {
		ticket.finally(tags.leave)
	}
	replaced, _ := h.window.Replaced()
	v := &viewer{
		hub: h, pump: h.pumps[h.turn.Add(1)%uint64(len(h.pumps))], request: r, ticket: ticket, began: time.Now(),
		filter: newFilter(r.Selection, tags, r.Principal), replaced: replaced,
	}
	if err := v.locate(ctx); err != nil {
		return nil, err
	}
	v.told, v.wrote, v.due = v.pos, v.began, v.began.Add(r.Every)
	v.mark.seq = max(v.pos.Seq, h.window.Head())
	v.shown.pos = v.pos
	return v, nil
}

// locate finds out where the viewer begins.
func (v *viewer) locate(ctx context.Context) (err error) {
	switch r := v.request; {
	case r.Buckets != nil:
		v.buckets = newBucketing(r)
		v.locateBuckets()
	case r.From != nil:
		v.pos = *r.From
	case r.Snapshot:
		if v.page, err = v.hub.snapshot(ctx, &v.filter); err != nil {
			return err
		}
		v.ticket.finally(v.page.free)
		v.pos = v.page.at
	case !r.Since.IsZero():
		return v.seek(ctx, r.Since)
	default:
		v.pos = Position{Seq: v.hub.window.Head()}
	}
	return nil
}

// seek begins with what was committed at the time or later. If some of that is gone, a gap tells so: since the time, as far
// as anybody knows.
func (v *viewer) seek(ctx context.Context, since time.Time) error {
	after, whole, err := v.hub.table.Seek(ctx, since)
	if err != nil {
		return err
	}
	v.pos = Position{Seq: after}
	if whole {
		v.request.From = &Position{Seq: after}
		return nil
	}
	gone, ok, err := v.hub.table.Missing(ctx, 0)
	if err != nil || !ok {
		return err
	}
	v.pos.Seq = max(v.pos.Seq, gone.LastSeq)
	v.request.From = &Position{Seq: v.pos.Seq}
	gone = v.request.veil(gone)
	gone.MinTS = max(gone.MinTS, min(gone.MaxTS, since.UnixMilli()))
	v.hub.metrics.gaps.Inc()
	v.rest, err = appendGap(v.rest, "retention", gone, v.request.Selection)
	return err
}

func (h *Hub) viewers() int { return int(h.count.Load()) }

// join makes the viewer known to its pump.
func (h *Hub) join(v *viewer) {
	h.count.Add(1)
	h.metrics.viewers.Inc()
	if !v.pump.join(v) {
		v.end(stopping)
	}
}

func (h *Hub) leave(v *viewer, why reason) {
	v.pump.leave(v)
	h.count.Add(-1)
	h.metrics.viewers.Dec()
	h.metrics.ends.WithLabelValues(string(why)).Inc()
	level := zap.InfoLevel
	if why == stopping { // of all viewers at once, as endAll has said
		level = zap.DebugLevel
	}
	h.log.Log(level, "stream ended", zap.String("reason", string(why)), zap.String("request_id", v.request.ID),
		zap.String("subject", v.request.Principal.Subject), zap.String("address", v.request.Address),
		zap.Duration("duration_ms", time.Since(v.began)), zap.Int64("events", v.events), zap.Int64("bytes", v.bytes))
}

// windUp ends every stream when the server stops, and whatever waits for the database.
func (h *Hub) windUp() {
	select {
	case <-h.draining:
		h.endAll()
		h.stop()
	case <-h.work.Done():
	}
}

// followTags keeps up with what tags devices have.
func (h *Hub) followTags() {
	ticker := time.NewTicker(tagsInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			// Whoever meets a new device looks by itself, and says so if it cannot.
			_ = h.labels.refresh(h.work)
		case <-h.work.Done():
			return
		}
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
