package newest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/deletion"
	"telltale/modules/series"
	"telltale/modules/streaming/budget"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/filter"
	"telltale/platform/fault"
)

// fakeRegistry has states, device by device, and the settlements that made forecasts newest.
type fakeRegistry struct {
	states  []series.State
	count   int64
	settled []int32
	wanted  series.Wanted // of the last capture
}

func (r *fakeRegistry) Capture(w series.Wanted, most int) (states []series.State, seq int64, ok bool) {
	r.wanted = w
	for _, s := range r.states {
		switch {
		case w.Devices != nil && !slices.Contains(w.Devices, s.Device),
			w.IDs != nil && !slices.Contains(w.IDs, s.ID),
			w.Keep != nil && !w.Keep(s.Device),
			w.After >= 0 && s.LastStamp <= w.After && (w.FromSettled == 0 || !slices.Contains(r.settled, s.ID)):
			continue
		}
		states = append(states, s)
	}
	return states, 100, len(states) <= most
}

func (r *fakeRegistry) Size() int                                 { return len(r.states) }
func (r *fakeRegistry) Settled() int64                            { return r.count }
func (r *fakeRegistry) SettledSince(int64) (ids []int32, ok bool) { return r.settled, true }

// fakeWindow holds batches, all of which follow any stamp.
type fakeWindow struct {
	batches []*batchlog.Batch
	behind  bool
}

func (w fakeWindow) Next(int64) ([]*batchlog.Batch, <-chan struct{}, bool) {
	return w.batches, nil, !w.behind
}

// keepAll is a retention that keeps every reading but those of the device "old".
type keepAll struct{}

func (keepAll) Keeps(s series.State) bool { return s.Device != "old" }

// state is the newest reading of a series, which came with a batch.
func state(id int32, device, metric string, ts, seq int64) series.State {
	return series.State{Series: series.Series{ID: id, Device: device, Metric: metric}, LastTS: ts, LastValue: float64(id), LastStamp: seq}
}

func sourceOf(r *fakeRegistry, w fakeWindow) *Source {
	return &Source{Registry: r, Window: w, Retention: keepAll{}, Budget: budget.NewBytes(10 * stateBytes)}
}

func filterOf(devices ...string) *filter.Filter {
	f := filter.New(filter.Selection{Devices: devices}, nil, access.Principal{})
	return &f
}

// text returns all that a snapshot or an update has.
func text(p interface {
	Append(dst []byte) ([]byte, int)
	Done() bool
},
) (all string, events int) {
	for {
		piece, n := p.Append(nil)
		all, events = all+string(piece), events+n
		if p.Done() {
			return all, events
		}
	}
}

func TestSnapshot_HasAnEventForEachDeviceAndInstantAndThenAPosition(t *testing.T) {
	t.Parallel()
	r := &fakeRegistry{states: []series.State{
		state(1, "a", "m", 2000, 1), state(2, "a", "n", 1000, 2), state(3, "a", "o", 2000, 3), state(4, "b", "m", 500, 4), state(5, "old", "m", 1, 5),
	}}
	snapshot, err := sourceOf(r, fakeWindow{}).Snapshot(t.Context(), filterOf())
	require.NoError(t, err)
	require.EqualValues(t, -1, r.wanted.After, "also what came before this program began")
	all, events := text(snapshot)
	require.Equal(t, `event: snapshot
data: {"device":"a","ts":"1970-01-01T00:00:01.000Z","values":{"n":2}}

event: snapshot
data: {"device":"a","ts":"1970-01-01T00:00:02.000Z","values":{"m":1,"o":3}}

event: snapshot
data: {"device":"b","ts":"1970-01-01T00:00:00.500Z","values":{"m":4}}

event: position
id: 100
data: {"seq":100}

`, all)
	require.Equal(t, 3, events)
	require.Equal(t, event.Position{Stamp: 100}, snapshot.At())
	snapshot.Free()
}

func TestSnapshot_OfNothingIsAPosition(t *testing.T) {
	t.Parallel()
	snapshot, err := sourceOf(&fakeRegistry{}, fakeWindow{}).Snapshot(t.Context(), filterOf("a"))
	require.NoError(t, err)
	all, events := text(snapshot)
	require.Equal(t, "event: position\nid: 100\ndata: {\"seq\":100}\n\n", all)
	require.Zero(t, events)
}

func TestSnapshot_ComesInPieces(t *testing.T) {
	t.Parallel()
	r := &fakeRegistry{}
	for i := range int32(900) {
		r.states = append(r.states, state(i, fmt.Sprintf("d%03d", i), "m", 1, 1))
	}
	snapshot, err := sourceOf(r, fakeWindow{}).Snapshot(t.Context(), filterOf())
	require.NoError(t, err)
	pieces := 0
	for !snapshot.Done() {
		piece, _ := snapshot.Append(nil)
		require.Less(t, len(piece), pieceBytes+200)
		require.True(t, strings.HasSuffix(string(piece), "\n\n"), "a piece ends where an event does")
		pieces++
	}
	require.Greater(t, pieces, 2)
}

func TestSource_RefusesASnapshotOfTooMuch(t *testing.T) {
	t.Parallel()
	r := &fakeRegistry{}
	for i := range int32(20) {
		r.states = append(r.states, state(i, fmt.Sprint("d", i), "m", 1, 1))
	}
	s := sourceOf(r, fakeWindow{})
	first, err := s.Snapshot(t.Context(), filterOf())
	require.NoError(t, err, "one always fits")
	_, err = s.Snapshot(t.Context(), filterOf())
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	skipped, err := s.Skipped(t.Context(), filterOf(), event.Position{})
	require.NoError(t, err)
	require.Nil(t, skipped, "the viewer goes on by the log meanwhile")
	first.Free()
	first.Free()
	again, err := s.Snapshot(t.Context(), filterOf())
	require.NoError(t, err)
	again.Free()

	for i := range int32(maxSnapshot) {
		r.states = append(r.states, state(100+i, "e", fmt.Sprint(i), 1, 1))
	}
	_, err = s.Snapshot(t.Context(), filterOf())
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, "more than 100000 series")
}

func TestSkipped_HasWhatIsNewerThanThePosition(t *testing.T) {
	t.Parallel()
	r := &fakeRegistry{states: []series.State{state(1, "a", "m", 1, 7), state(2, "b", "m", 1, 8)}}
	skipped, err := sourceOf(r, fakeWindow{}).Skipped(t.Context(), filterOf(), event.Position{Stamp: 7})
	require.NoError(t, err)
	all, _ := text(skipped)
	require.NotContains(t, all, `"a"`)
	require.Contains(t, all, `{"device":"b"`)
}

// batch has readings of the series.
func batch(seq int64, ids ...int32) *batchlog.Batch {
	return &batchlog.Batch{Seq: seq, CommittedAt: time.UnixMicro(seq), Series: ids, TS: make([]int64, len(ids)), Value: make([]float64, len(ids))}
}

func TestUpdate_LooksOnlyAtWhatHasChanged(t *testing.T) {
	t.Parallel()
	states := []series.State{state(9, "a", "m", 2000, 7), state(1, "a", "n", 1000, 7), state(2, "b", "m", 1, 7), state(3, "c", "m", 1, 5), state(4, "d", "m", 1, 9)}
	gone := &batchlog.Batch{Seq: 8, CommittedAt: time.UnixMicro(8), Deletion: &deletion.Marker{Series: []int32{2}}}
	for name, c := range map[string]struct {
		devices []string
		window  fakeWindow
		settled []int32
		ids     []int32 // that are looked at; nil for all
		want    []string
		at      int64
	}{
		"nothing has come": {nil, fakeWindow{}, nil, nil, nil, 0},
		"a batch":          {nil, fakeWindow{batches: []*batchlog.Batch{batch(7, 9, 1)}}, nil, []int32{1, 9}, []string{"a"}, 7},
		"a deletion too":   {nil, fakeWindow{batches: []*batchlog.Batch{batch(7, 9), gone}}, nil, []int32{2, 9}, []string{"a", "b"}, 8},
		"a forecast":       {nil, fakeWindow{}, []int32{3}, []int32{3}, []string{"c"}, 6},
		"more than series": {nil, fakeWindow{batches: []*batchlog.Batch{batch(7, 1, 1, 1, 1, 1)}}, nil, nil, []string{"a", "b", "d"}, 100},
		"behind":           {nil, fakeWindow{behind: true}, nil, nil, []string{"a", "b", "d"}, 100},
		"ids are few":      {[]string{"b"}, fakeWindow{batches: []*batchlog.Batch{batch(7, 9, 1)}}, nil, nil, []string{"b"}, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &fakeRegistry{states: states, settled: c.settled, count: 1}
			fromSettled := int64(1)
			if c.settled == nil {
				fromSettled = 2
			}
			update, err := sourceOf(r, c.window).Update(t.Context(), filterOf(c.devices...), event.Position{Stamp: 6}, fromSettled)
			require.NoError(t, err)
			if c.want == nil {
				require.Nil(t, update)
				return
			}
			require.Equal(t, c.ids, r.wanted.IDs)
			require.EqualValues(t, 2, update.FromSettled())
			require.Equal(t, event.Position{Stamp: c.at}, update.At())
			all, events := text(update)
			require.Equal(t, len(c.want), events)
			var got []string
			for _, each := range strings.Split(strings.TrimSpace(all), "\n\n") {
				_, device, _ := strings.Cut(each, `{"device":"`)
				got = append(got, device[:1])
				require.Equal(t, len(got) == len(c.want), strings.HasPrefix(each, fmt.Sprintf("id: %d\n", c.at)), "only the last event has an id")
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestUpdate_HasTheInstantOfADevicesNewestReading(t *testing.T) {
	t.Parallel()
	r := &fakeRegistry{states: []series.State{state(1, "a", "m", 1000, 7), state(2, "a", "n", 2000, 7)}}
	update, err := sourceOf(r, fakeWindow{behind: true}).Update(t.Context(), filterOf("a"), event.Position{}, 1)
	require.NoError(t, err)
	all, _ := text(update)
	require.Equal(t, "id: 100\nevent: reading\ndata: {\"device\":\"a\",\"ts\":\"1970-01-01T00:00:02.000Z\",\"values\":{\"m\":1,\"n\":2}}\n\n", all)
}

// directory knows the tag of one device, or is away.
type directory struct{ err error }

func (d directory) Tagged(context.Context, []string) (map[string]bool, error) {
	return map[string]bool{"b": true}, d.err
}

func TestSource_LooksTheTagsOfNewDevicesUp(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	for _, err := range []error{nil, away} {
		r := &fakeRegistry{states: []series.State{state(1, "a", "m", 1, 1), state(2, "b", "m", 1, 1)}}
		f := filter.New(filter.Selection{Tags: []string{"x"}}, filter.NewTagSets(directory{err}).Join([]string{"x"}), access.Principal{})
		snapshot, got := sourceOf(r, fakeWindow{}).Snapshot(t.Context(), &f)
		require.ErrorIs(t, got, err)
		if err == nil {
			all, _ := text(snapshot)
			require.Contains(t, all, `"b"`)
			require.NotContains(t, all, `"a"`)
		}
	}
}
