package acceptance

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// event is one message of a stream.
type event struct{ ID, Name, Data string }

// viewer follows a stream in the background.
type viewer struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	grown  chan struct{} // there may be new events; one signal that waits is as good as many

	mu     sync.Mutex
	events []event
	lastID string
}

// view opens a stream behind lastID, and returns when its header has come.
func (p *program) view(parameters, lastID string) *viewer {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, "GET", p.url+"/api/stream"+parameters, nil)
	require.NoError(p.t, err)
	request.Header.Set("Authorization", "Bearer "+p.token)
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := p.http.Do(request)
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, response.StatusCode)
	v := newViewer(cancel)
	v.lastID = lastID
	v.done.Go(func() {
		defer response.Body.Close()
		v.read(response.Body)
	})
	p.t.Cleanup(v.stop)
	return v
}

func newViewer(cancel context.CancelFunc) *viewer {
	return &viewer{cancel: cancel, grown: make(chan struct{}, 1)}
}

func (v *viewer) read(from io.Reader) {
	var current event
	scanner := bufio.NewScanner(from)
	scanner.Buffer(nil, 1<<24)
	for scanner.Scan() {
		field, value, _ := strings.Cut(scanner.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			current.ID = value
		case "event":
			current.Name = value
		case "data":
			current.Data += value
		case "":
			if scanner.Text() == "" {
				v.dispatch(current)
				current = event{}
			}
		}
	}
}

func (v *viewer) dispatch(e event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.ID != "" {
		v.lastID = e.ID
	}
	if e.Data != "" && e.Name != "position" { // which only carries an id
		v.events = append(v.events, e)
		select {
		case v.grown <- struct{}{}:
		default:
		}
	}
}

// stop closes the stream.
func (v *viewer) stop() {
	v.cancel()
	v.done.Wait()
}

// wait returns the events once there are n of them.
func (v *viewer) wait(t testing.TB, n int) []event {
	t.Helper()
	return v.await(t, func(events []event) bool { return len(events) >= n })
}

// await returns the events once they are enough. Only one goroutine may wait at a time.
func (v *viewer) await(t testing.TB, enough func([]event) bool) []event {
	t.Helper()
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	for {
		events := v.record()
		if enough(events) {
			return events
		}
		select {
		case <-v.grown:
		case <-timeout.C:
			require.FailNow(t, "events are missing", "there are %d", len(events))
		}
	}
}

// record returns the events so far.
func (v *viewer) record() []event {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.events)
}

// position returns the id of the last event.
func (v *viewer) position() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lastID
}
