package readings_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/chunk"
	"telltale/modules/readings/payload"
)

// change is something that happens at one instance.
type change struct {
	do func(ctx context.Context, e *engine) error
	// effect is what it does to the model, by one batch; nil when no answer shows it.
	effect func(m model)
	// statements is about how many it takes.
	statements int
}

// choose picks what happens next. What is no business of an instance has happened when it returns.
func (r *modelRun) choose(t *testing.T) change {
	t.Helper()
	switch n := r.random.IntN(30); {
	case n < 12:
		return r.post()
	case n < 18:
		return change{do: func(ctx context.Context, e *engine) error { return e.Runner.Fold(ctx) }, statements: 25}
	case n < 22:
		r.clock = r.clock.Add(time.Duration(r.random.IntN(30*3600*1000)) * time.Millisecond)
		r.ticking.Store(r.clock.UnixMilli())
		r.model.forget(r.clock)
		return change{do: func(ctx context.Context, e *engine) error {
			return errors.Join(e.Runner.CloseDays(ctx), e.Runner.Maintain(ctx))
		}, statements: 40}
	case n < 24:
		r.retain(t)
		return change{do: func(ctx context.Context, e *engine) error { return e.Runner.Maintain(ctx) }, statements: 25}
	case n < 28:
		return r.remove(t)
	default:
		device := fmt.Sprint("device-", r.random.IntN(4))
		if !r.exists(t, device) {
			return r.post()
		}
		return change{
			do:         func(ctx context.Context, e *engine) error { return e.DeleteDevice(ctx, device) },
			effect:     func(m model) { m.deleteDevice(device) },
			statements: 8,
		}
	}
}

// post returns the sending of up to 40 readings: around hour and day boundaries, some of them at instants used before.
func (r *modelRun) post() change {
	type reading struct {
		series string
		ts     int64
		value  float64
	}
	var items []string
	var readings []reading
	for range 1 + r.random.IntN(40) {
		device, metric := fmt.Sprint("device-", r.random.IntN(4)), fmt.Sprint("metric-", r.random.IntN(2))
		ts := modelStart + int64(r.random.IntN(2000))*360_000
		if ts < r.model.floor(device, r.clock) { // would be refused
			ts = r.clock.UnixMilli()
		}
		value := float64(r.random.IntN(1000)) / 4 // sums of quarters are exact
		items = append(items, fmt.Sprintf(`{"device":%q,"ts":%d,"values":{%q:%v}}`, device, ts, metric, value))
		readings = append(readings, reading{device + "/" + metric, ts, value})
	}
	request := payload.Request{
		ContentType: "application/json", Data: []byte(`{"readings":[` + strings.Join(items, ",") + `]}`), MaxBytes: 1 << 20, Now: time.Now(),
	}
	return change{
		do: func(ctx context.Context, e *engine) error {
			_, err := e.Ingest(ctx, everyone, request, false)
			return err
		},
		effect: func(m model) {
			for _, x := range readings {
				m.set(x.series, x.ts, x.value)
			}
		},
		statements: 3,
	}
}

// retain changes how long a device's readings are kept, but never so that it would bring back what is forgotten.
func (r *modelRun) retain(t *testing.T) {
	t.Helper()
	device, days := fmt.Sprint("device-", r.random.IntN(4)), 2+r.random.IntN(10)
	if !r.exists(t, device) || r.clock.UnixMilli()-int64(days)*chunk.Day < r.model.floor(device, r.clock) {
		return
	}
	_, err := r.db.Exec(t.Context(), `UPDATE devices SET retention_days = $2 WHERE id = $1`, device, days)
	require.NoError(t, err)
	for _, i := range r.instances {
		require.NoError(t, i.Registry.Load(t.Context()))
	}
	r.model.days[device] = days
	r.model.forget(r.clock)
}

func (r *modelRun) exists(t *testing.T, device string) (yes bool) {
	t.Helper()
	require.NoError(t, r.db.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM devices WHERE id = $1)`, device).Scan(&yes))
	return yes
}
