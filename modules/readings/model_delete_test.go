package readings_test

import (
	"context"
	"fmt"
	"testing"

	"telltale/modules/readings/chunk"
	"telltale/modules/readings/deletion"

	"github.com/stretchr/testify/require"
)

// remove returns the deletion of some readings of a device: either carried out at once, or only put into the log, as when an
// instance dies right after that.
func (r *modelRun) remove(t *testing.T) change {
	t.Helper()
	device := fmt.Sprint("device-", r.random.IntN(4))
	if !r.exists(t, device) {
		return r.post()
	}
	wish := deletion.Request{Devices: []string{device}, From: modelStart + int64(r.random.IntN(2000))*360_000 + int64(r.random.IntN(3)) - 1}
	width := []int64{1, chunk.Hour, 5 * chunk.Hour, chunk.Day, 3 * chunk.Day, 30 * chunk.Day}[r.random.IntN(6)]
	if wish.To = wish.From + width; r.random.IntN(2) == 0 {
		wish.From, wish.To = chunk.Floor(wish.From, min(width, chunk.Day)), chunk.Floor(wish.From, min(width, chunk.Day))+width
	}
	if metric := fmt.Sprint("metric-", r.random.IntN(2)); r.random.IntN(2) == 0 && r.has(t, device, metric) {
		wish.Metrics = []string{metric}
	}
	before, whole := r.model.clone(), r.random.IntN(2) == 0
	exact := r.model.general == 0 && r.model.days[device] == 0 // else more is stored than answers show
	return change{
		do: func(ctx context.Context, e *engine) error {
			if !whole {
				seq, _, err := e.Mark(ctx, wish)
				if err == nil {
					_ = e.Tail.AdvanceTo(ctx, seq)
				}
				return err
			}
			removed, err := e.Delete(ctx, everyone, wish)
			if want := before.remove(wish); err == nil && removed.Done && exact && removed.Readings != int64(want) {
				t.Errorf("deleting %+v told of %d readings, and there were %d", wish, removed.Readings, want)
			}
			return err
		},
		effect:     func(m model) { m.remove(wish) },
		statements: 40,
	}
}

// remove deletes readings and returns how many they were.
func (m model) remove(wish deletion.Request) (n int) {
	for series, points := range m.series {
		metric := series[len(deviceOf(series))+1:]
		if deviceOf(series) != wish.Devices[0] || len(wish.Metrics) > 0 && metric != wish.Metrics[0] {
			continue
		}
		for ts := range points {
			if wish.From <= ts && ts < wish.To {
				delete(points, ts)
				n++
			}
		}
		if len(points) == 0 {
			delete(m.series, series)
		}
	}
	return n
}

func (r *modelRun) has(t *testing.T, device, metric string) (yes bool) {
	t.Helper()
	const query = `SELECT EXISTS (SELECT FROM series WHERE device_id = $1 AND metric = $2)`
	require.NoError(t, r.db.QueryRow(t.Context(), query, device, metric).Scan(&yes))
	return yes
}

// deleting reports whether something deleted is still in chunks: SQL shows it until it is carried out.
func (r *modelRun) deleting(t *testing.T) (yes bool) {
	t.Helper()
	const query = `SELECT EXISTS (SELECT FROM reading_log, log_state WHERE seq > folded_seq AND deleted_from IS NOT NULL)`
	require.NoError(t, r.db.QueryRow(t.Context(), query).Scan(&yes))
	return yes
}
