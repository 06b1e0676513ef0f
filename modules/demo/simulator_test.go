package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
)

// shelf keeps API keys in memory.
type shelf struct {
	mu   sync.Mutex
	made []keys.Draft
	live map[string]bool
}

func (s *shelf) Create(_ context.Context, _ access.Principal, key keys.Draft) (keys.Key, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := strings.Repeat("k", len(s.made)+1)
	s.made = append(s.made, key)
	s.live[id] = true
	return keys.Key{ID: id}, id, nil
}

func (s *shelf) Revoke(_ context.Context, _ access.Principal, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, id)
	return nil
}

func (s *shelf) revokeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.live)
}

func (s *shelf) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[id]
}

// backend is a server that keeps what it is sent in memory, and refuses what a test tells it to.
type backend struct {
	t    *testing.T
	keys *shelf
	url  string

	mu       sync.Mutex
	devices  map[string]map[string]any
	readings map[string]map[int64]map[string]float64
	posts    int
	earliest int64 // ts among the readings since the last reset
	refuse   func(w http.ResponseWriter, r *http.Request) bool
}

func newBackend(t *testing.T) *backend {
	b := &backend{
		t: t, keys: &shelf{live: map[string]bool{}},
		devices: map[string]map[string]any{}, readings: map[string]map[int64]map[string]float64{},
	}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.URL.Path == "/readyz" {
		return
	}
	if b.refuse != nil && b.refuse(w, r) {
		return
	}
	if !b.keys.has(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /api/devices":
		_ = json.NewEncoder(w).Encode(b.list())
	case "POST /api/devices":
		var device map[string]any
		_ = json.NewDecoder(r.Body).Decode(&device)
		if b.devices[device["id"].(string)] != nil {
			w.WriteHeader(http.StatusConflict)
			return
		}
		b.devices[device["id"].(string)] = device
		w.WriteHeader(http.StatusCreated)
	case "POST /api/readings":
		b.store(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// list answers as the API does; a device's newest reading is that of each of its metrics.
func (b *backend) list() any {
	list := []any{}
	for id := range b.devices {
		newest := map[string]int64{}
		for ts, values := range b.readings[id] {
			for metric := range values {
				newest[metric] = max(newest[metric], ts)
			}
		}
		metrics := []any{map[string]any{"name": "declared", "last_ts": nil}}
		for metric, ts := range newest {
			metrics = append(metrics, map[string]any{"name": metric, "last_ts": ts})
		}
		list = append(list, map[string]any{"id": id, "metrics": metrics})
	}
	return map[string]any{"devices": list, "next_cursor": nil}
}

func (b *backend) store(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Readings []struct {
			Device string
			TS     int64
			Values map[string]float64
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	b.posts++
	for _, reading := range body.Readings {
		if b.readings[reading.Device] == nil {
			b.readings[reading.Device] = map[int64]map[string]float64{}
		}
		b.readings[reading.Device][reading.TS] = reading.Values
		if b.earliest == 0 || reading.TS < b.earliest {
			b.earliest = reading.TS
		}
	}
}

// run has a simulator with ten minutes of history play for the given number of seconds, in which no time passes for the test.
// It returns how long the simulator has waited, each time.
func (b *backend) run(t *testing.T, clock *time.Time, seconds int, out *bytes.Buffer) (waits []time.Duration, err error) {
	s := New(func() string { return b.url }, b.keys, out, zaptest.NewLogger(t))
	s.history = 10 * time.Minute
	s.now = func() time.Time { return *clock }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	end := clock.Add(time.Duration(seconds) * time.Second)
	s.api.pause = func(ctx context.Context, wait time.Duration) error {
		waits = append(waits, wait)
		if *clock = clock.Add(wait); !clock.Before(end) {
			cancel()
		}
		return ctx.Err()
	}
	err = s.run(ctx)
	s.cancel = cancel
	require.NoError(t, s.Stop(t.Context()))
	require.Empty(t, b.keys.live, "all keys are revoked")
	return waits, err
}

// requireWhole checks that every device has every reading of the history from and until the instants given, both included.
func (b *backend) requireWhole(t *testing.T, from, until time.Time, distance time.Duration) {
	t.Helper()
	for _, d := range fleet() {
		for at := from; !at.After(until); at = at.Add(distance) {
			got := b.readings[d.id][at.UnixMilli()]
			require.Len(t, got, len(d.sensors), "%s at %v", d.id, at)
			for _, s := range d.sensors {
				require.Equal(t, s.read(at.UnixMilli()), got[s.metric])
			}
		}
	}
}

func TestSimulator_RegistersFillsAndPlaysInItsFirstRun(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	clock, out := start.Add(4*time.Second), bytes.Buffer{}
	_, err := b.run(t, &clock, 30, &out)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, b.devices, 100)
	require.Equal(t, "Greenhouse 1", b.devices["greenhouse-01"]["name"])
	require.Equal(t, map[string]any{"temperature": "°C", "humidity": "%", "soil_moisture": "%", "battery": "V"},
		b.devices["greenhouse-01"]["units"])
	b.requireWhole(t, start.Add(-10*time.Minute), start, step)
	b.requireWhole(t, start.Add(5*time.Second), start.Add(33*time.Second), pace)
	require.Contains(t, out.String(), "Writing 22265 values of history …\n")
	require.Contains(t, out.String(), "Wrote 22265 values of history in ")
	require.Contains(t, out.String(), "/api/stream?device=weather-01'")
	require.NotContains(t, out.String(), "%!", "a verb without its argument")
	require.Equal(t, simulatorScopes, b.keys.made[0].Scopes)
	require.Equal(t, visitorScopes, b.keys.made[1].Scopes)
	for _, key := range b.keys.made {
		require.NotContains(t, key.Devices, "*")
		require.NotNil(t, key.ExpiresAt)
	}
}

func TestSimulator_FillsOnlyWhatIsMissingInALaterRun(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	clock, out := start, bytes.Buffer{}
	_, err := b.run(t, &clock, 5, &out)
	require.ErrorIs(t, err, context.Canceled)

	b.earliest = 0
	clock = start.Add(30 * time.Minute)
	_, err = b.run(t, &clock, 5, &out)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, start.Add(10*time.Second).UnixMilli(), b.earliest, "the newest was of second 4")
	b.requireWhole(t, start.Add(-10*time.Minute), start.Add(30*time.Minute), step)

	b.earliest = 0
	clock = start.Add(30*time.Minute + 7*time.Second)
	_, err = b.run(t, &clock, 3, &out)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, start.Add(30*time.Minute+8*time.Second).UnixMilli(), b.earliest, "there was nothing to fill")

	b.earliest = 0
	clock = start.Add(60 * 24 * time.Hour)
	newest := clock.Add(-longestGap).Truncate(step).UnixMilli()
	s := New(nil, nil, &out, zaptest.NewLogger(t))
	s.now = func() time.Time { return clock }
	require.Equal(t, newest, s.beginnings(map[string]int64{"pump-01": start.UnixMilli()})["pump-01"], "a gap has its bounds")
}

func TestSimulator_FinishesAnInterruptedFillInTheNextRun(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	clock, out := start, bytes.Buffer{}
	b.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/readings" || b.posts < 2 {
			return false
		}
		w.Header().Set("Retry-After", "1000")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	_, err := b.run(t, &clock, 50, &out)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 2, b.posts)

	b.refuse, b.earliest = nil, 0
	_, err = b.run(t, &clock, 5, &out)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, start.Add(-10*time.Minute+2*perRequest*step).UnixMilli(), b.earliest)
	b.requireWhole(t, start.Add(-10*time.Minute), start.Add(60*time.Second), step)
}

func TestSimulator_WaitsOutRefusalsAsLongAsTheServerAsks(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	clock, out := start, bytes.Buffer{}
	answers := []struct {
		status int
		wait   string
	}{{503, "7"}, {429, "3"}, {500, ""}, {401, ""}, {503, "nonsense"}, {503, "100000"}}
	b.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
		if len(answers) == 0 || len(b.devices) < 50 {
			return false
		}
		if answers[0].status == http.StatusUnauthorized {
			b.keys.revokeAll()
		}
		w.Header().Set("Retry-After", answers[0].wait)
		w.WriteHeader(answers[0].status)
		answers = answers[1:]
		return true
	}
	waits, err := b.run(t, &clock, 75, &out)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []time.Duration{7 * time.Second, 3 * time.Second, time.Second, time.Second, time.Minute}, waits[:5])
	require.Len(t, b.devices, 100)
	b.requireWhole(t, start.Add(-8*time.Minute), start.Add(72*time.Second).Truncate(step), step)
}

func TestSimulator_LeavesNoGapByAnOutageWhilePlaying(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	clock, out := start, bytes.Buffer{}
	down := 0
	b.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
		if clock.Before(start.Add(5*time.Second)) || down == 3 {
			return false
		}
		down++
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	_, err := b.run(t, &clock, 200, &out)
	require.ErrorIs(t, err, context.Canceled)
	b.requireWhole(t, start.Add(-10*time.Minute), start.Add(190*time.Second), step)
	b.requireWhole(t, start.Add(190*time.Second), start.Add(199*time.Second), pace)
}

func TestSimulator_EndsWhenAReadingIsRefusedForGood(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	clock, out := start, bytes.Buffer{}
	b.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/readings" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return true
		}
		return false
	}
	_, err := b.run(t, &clock, 50, &out)
	var refused *refusal
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
}

func TestSimulator_StopsWhateverItWaitsFor(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	asked := make(chan struct{}, 1)
	b.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
		select {
		case asked <- struct{}{}:
		default:
		}
		return true
	}
	for range 3 {
		s := New(func() string { return b.url }, b.keys, &bytes.Buffer{}, zaptest.NewLogger(t))
		require.NoError(t, s.Start(t.Context()))
		<-asked
		require.NoError(t, s.Stop(t.Context()))
		require.Empty(t, b.keys.live)
	}
	unstarted := New(func() string { return b.url }, b.keys, &bytes.Buffer{}, zaptest.NewLogger(t))
	require.NoError(t, unstarted.Stop(t.Context()))
}
