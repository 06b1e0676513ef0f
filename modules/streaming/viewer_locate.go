package streaming

import (
	"context"
	"time"

	"telltale/modules/streaming/event"
	"telltale/modules/streaming/livebucket"
)

// locate finds out where the viewer begins.
func (v *viewer) locate(ctx context.Context) (err error) {
	switch r := v.request; {
	case r.Buckets != nil:
		v.buckets = &bucketing{Question: livebucket.NewQuestion(r, &v.filter)}
		v.locateBuckets()
	case r.From != nil:
		v.pos = *r.From
	case r.Snapshot:
		snapshot, err := v.hub.newest.Snapshot(ctx, &v.filter)
		if err != nil {
			return err
		}
		v.digest = v.hub.newDigest(snapshot)
		v.ticket.Finally(v.digest.Free)
		v.pos = v.digest.At()
	case !r.Since.IsZero():
		return v.seek(ctx, r.Since)
	default:
		v.pos = event.Position{Stamp: v.hub.window.Head()}
	}
	return nil
}

// seek begins with what was committed at the time or later. If the log no longer has all of that, a gap since the time tells
// so.
func (v *viewer) seek(ctx context.Context, since time.Time) error {
	after, whole, err := v.hub.table.Seek(ctx, since)
	if err != nil {
		return err
	}
	v.pos = event.Position{Stamp: after}
	if whole {
		v.request.From = &event.Position{Stamp: after}
		return nil
	}
	gone, ok, err := v.hub.table.Missing(ctx, 0)
	if err != nil || !ok {
		return err
	}
	v.pos.Stamp = max(v.pos.Stamp, gone.LastStamp)
	v.request.From = &event.Position{Stamp: v.pos.Stamp}
	gone = v.request.Veil(gone)
	gone.MinTS = max(gone.MinTS, min(gone.MaxTS, since.UnixMilli()))
	v.hub.metrics.Gaps.Inc()
	v.unsent, err = event.AppendGap(v.unsent, event.Position{Stamp: gone.LastStamp}, v.request.Gap("retention", gone))
	return err
}
