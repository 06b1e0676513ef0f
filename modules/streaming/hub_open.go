package streaming

import (
	"context"
	"time"

	"go.uber.org/zap"

	"telltale/modules/streaming/admission"
	"telltale/modules/streaming/filter"
	"telltale/modules/streaming/request"
	"telltale/platform/fault"
	"telltale/platform/httpserver"
)

// startPatience is how long a stream may wait for the server to have started, before it is refused. Proxies wait a minute.
const startPatience = 30 * time.Second

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
func (h *Hub) Open(ctx context.Context, r request.Request) (func(*httpserver.Socket), error) {
	select {
	case <-h.loaded:
	default:
		return nil, fault.Busy(time.Second, nil, "the log is still being loaded")
	}
	ticket, err := h.admission.Admit(r.Principal, r.Address)
	if err != nil {
		return nil, err
	}
	v, err := h.prepare(ctx, &r, ticket)
	if err != nil {
		ticket.Release()
		return nil, err
	}
	return v.serve, nil
}

// prepare returns a viewer that knows where it begins.
func (h *Hub) prepare(ctx context.Context, r *request.Request, ticket *admission.Ticket) (*viewer, error) {
	if err := ticket.ChargeLists(r.Devices, r.Tags, r.Metrics); err != nil {
		return nil, err
	}
	tags := h.tagSets.Join(r.Tags)
	if tags != nil {
		ticket.Finally(tags.Leave)
	}
	replaced, _ := h.window.Replaced()
	v := &viewer{
		settings: settings{
			hub: h, pump: h.pumps[h.opened.Add(1)%uint64(len(h.pumps))], request: r, ticket: ticket, began: time.Now(),
		},
		cursor: cursor{filter: filter.New(r.Selection, tags, r.Principal), replaced: replaced, fromSettled: 1},
	}
	if r.From == nil && r.Since.IsZero() { // else it is not known which ones it has got
		v.fromSettled = h.registry.Settled() + 1
	}
	if err := v.locate(ctx); err != nil {
		return nil, err
	}
	v.told, v.wrote, v.due = v.pos, v.began, v.began.Add(r.Every)
	v.pastHead.stamp = max(v.pos.Stamp, h.window.Head())
	v.shown.pos = v.pos
	return v, nil
}

// join makes the viewer known to its pump.
func (h *Hub) join(v *viewer) {
	h.count.Add(1)
	h.metrics.Viewers.Inc()
	if !v.pump.join(v) {
		v.end(stopping)
	}
}

func (h *Hub) leave(v *viewer, why reason) {
	v.pump.leave(v)
	h.count.Add(-1)
	h.metrics.Viewers.Dec()
	h.metrics.Ends.WithLabelValues(string(why)).Inc()
	level := zap.InfoLevel
	if why == stopping { // of all viewers at once, as endAll has said
		level = zap.DebugLevel
	}
	h.log.Log(level, "stream ended", zap.String("reason", string(why)), zap.String("request_id", v.request.ID),
		zap.String("subject", v.request.Principal.Subject), zap.String("address", v.request.Address),
		zap.Duration("duration_ms", time.Since(v.began)), zap.Int64("events", v.events), zap.Int64("bytes", v.bytes))
}
