package streaming

import (
	"context"
	"time"

	"telltale/modules/auth/access"
	"telltale/platform/fault"
)

// recheckInterval is how often the credentials of every viewer are looked at again, for changes that other instances made.
const recheckInterval = 10 * time.Second

// maxChanges is how many changes of credentials may wait for watch; beyond it they are found by the next recheck of all.
const maxChanges = 64

// watch ends the streams whose credentials are no longer good.
func (h *Hub) watch() {
	ticker := time.NewTicker(h.recheckEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			h.recheck(func(access.Principal) bool { return true })
		case concerns := <-h.changes:
			h.recheck(concerns)
		case <-h.work.Done():
			return
		}
	}
}

// noteChange has watch look at those whose credentials have been changed.
func (h *Hub) noteChange(concerns func(access.Principal) bool) {
	h.changed.Add(1) // before viewers are looked through: who joins later looks at it
	select {
	case h.changes <- concerns:
	default:
	}
}

// recheck ends the streams, of those concerned, whose credentials have been revoked. Who cannot be asked about at present
// stays. When the server stops it leaves off.
func (h *Hub) recheck(concerns func(access.Principal) bool) {
	for _, p := range h.pumps {
		for _, v := range p.members() {
			if h.work.Err() != nil {
				return
			}
			if concerns(v.request.Principal) {
				h.recheckOne(h.work, v)
			}
		}
	}
}

// recheckOne ends the stream if its credentials have been revoked.
func (h *Hub) recheckOne(ctx context.Context, v *viewer) {
	err := h.checker.Recheck(ctx, v.request.Principal)
	if kind := fault.KindOf(err); err != nil && (kind == fault.Unauthenticated || kind == fault.Forbidden) {
		v.end(tokenRefused)
	}
}

// recheckNewcomer does so for a viewer that has just joined, if there has been a change since its credentials were checked: it
// was not there yet when those concerned were looked at. Only the viewer's own goroutine may call it.
func (h *Hub) recheckNewcomer(v *viewer) error {
	if h.changed.Load() == v.request.Changes {
		return nil
	}
	return v.attended(h.work, func(ctx context.Context) error {
		h.recheckOne(ctx, v)
		return context.Cause(ctx)
	})
}
