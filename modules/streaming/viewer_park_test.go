package streaming

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/batchlog"
	"telltale/modules/streaming/event"
	"telltale/platform/postgres/pgtest"
)

// haltedWindow holds up the next caller that asks it for batches after hold, once it knows the answer.
type haltedWindow struct {
	window
	hold           atomic.Bool
	halted, resume chan struct{}
}

func (w *haltedWindow) Next(seq int64) ([]*batchlog.Batch, <-chan struct{}, bool) {
	batches, changed, ok := w.window.Next(seq)
	if w.hold.CompareAndSwap(true, false) {
		close(w.halted)
		<-w.resume
	}
	return batches, changed, ok
}

func TestViewer_ThatIsAboutToParkWhileItsPumpWritesToOthersMissesNothing(t *testing.T) {
	t.Parallel()
	w := &haltedWindow{halted: make(chan struct{}), resume: make(chan struct{})}
	i := start(t, pgtest.New(t), func(o *options) { o.halt, o.pumps = w, 1 })
	s := open(t, i.url("device=a"), "")
	v := i.parked(t, 1)[0]
	next := open(t, i.url("device=a"), "")
	i.parked(t, 2)
	open(t, i.url("device=a"), "")
	all := i.parked(t, 3) // in the order in which the pump comes to them
	w.hold.Store(true)
	v.mu.Lock()
	v.wake()
	v.mu.Unlock()
	<-w.halted // and has found nothing to be read
	all[2].mu.Lock()
	release := sync.OnceFunc(all[2].mu.Unlock)
	defer release()
	i.post(t, datum{"a", "m", 1, 1})
	require.Equal(t, "1:0", next.next().ID, "the pump has passed the first and waits for the last")
	close(w.resume)
	require.Equal(t, "1:0", s.next().ID)
	release()
	i.post(t, datum{"a", "m", 2, 2})
	require.Equal(t, "2:0", s.next().ID)
}

// sitter is a viewer that stays, and keeps everything that it is sent.
type sitter struct {
	query            string
	devices, metrics []string // what of the log it must get; nil means all
	stream           *stream
	start            int64 // the position at which it began
	record           []message
}

// sit records until the closing event.
func (s *sitter) sit() error {
	for s.start = -1; ; {
		m, err := s.stream.receive()
		if err != nil {
			return fmt.Errorf("%q: %w", s.query, err)
		}
		if s.start < 0 {
			_, err = fmt.Sscan(m.ID, &s.start)
		}
		s.record = append(s.record, m)
		if err != nil || strings.Contains(m.Data, `"device":"end"`) {
			return err
		}
	}
}

// check requires that the record is the log filtered, and that no position in it claims what had not been sent by then.
func (s *sitter) check(t *testing.T, log posted, head int64) {
	t.Helper()
	want, n := log.expected(s.start, head, s.devices, s.metrics), 0
	for _, m := range s.record[1:] {
		if strings.Contains(m.Data, `"device":"gone"`) {
			continue // deleted again and again: it depends on when
		}
		if m.Event == "position" {
			at, err := event.ParsePosition(m.ID)
			require.NoError(t, err)
			if n > 0 {
				sent, err := event.ParsePosition(want[n-1].ID)
				require.NoError(t, err)
				require.True(t, sent.Before(at), "%q: %s after %s", s.query, m.ID, want[n-1].ID)
			}
			next, err := event.ParsePosition(want[n].ID)
			require.NoError(t, err)
			require.True(t, at.Before(next), "%q: %s claims %s", s.query, m.ID, want[n].ID)
			continue
		}
		require.Less(t, n, len(want), s.query)
		require.Equal(t, want[n], m, "%q: message %d, begun after %d", s.query, n, s.start)
		n++
	}
	require.Len(t, want, n, s.query)
}

// disturb wakes viewers at random, as a heartbeat or the end of a pause might at that moment, and has others come and go.
func (i *instance) disturb(random *rand.Rand, until <-chan struct{}) error {
	ticker := time.NewTicker(100 * time.Microsecond)
	defer ticker.Stop()
	visitor, err := dial(i.url(""), "")
	for n := 0; err == nil; n++ {
		select {
		case <-ticker.C:
		case <-until:
			visitor.close()
			return nil
		}
		members := i.hub.pumps[random.IntN(len(i.hub.pumps))].members()
		if len(members) > 0 {
			v := members[random.IntN(len(members))]
			v.mu.Lock()
			v.wake()
			v.mu.Unlock()
		}
		if n%20 == 0 {
			visitor.close()
			visitor, err = dial(i.url("device=d1,d2,d3&"+[]string{"", "snapshot=true", "interval=1m"}[random.IntN(3)]), "")
		}
	}
	return err
}

// Viewers of several pumps that stay, and park: pumps write to them, pass them over, hand them back or fall behind while
// they are woken at any time and get heartbeats that say where they are.
func TestViewer_ThatWakesAtAnyTimeMissesNothingAndClaimsNothing(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) {
		o.window, o.pumps, o.streaming.Heartbeat = 64<<10, 3, 2*time.Millisecond
	})
	for _, device := range []string{"d1", "d3", "end"} {
		i.tag(t, device, "odd")
	}
	many := []string{"d4", "d5", "end"}
	for k := range 2 * 16 {
		many = append(many, fmt.Sprint("absent-", k))
	}
	var sitters []*sitter
	for range 3 { // one for each pump, more or less
		sitters = append(sitters,
			&sitter{},
			&sitter{devices: []string{"end"}},
			&sitter{devices: []string{"d1", "end"}},
			&sitter{devices: []string{"d0", "d2", "d4", "end"}},
			&sitter{devices: many},
			&sitter{metrics: []string{"m1", "end"}},
			&sitter{devices: []string{"d3", "end"}, metrics: []string{"m0", "m2", "end"}},
			&sitter{query: "device=d[12]&device=en?", devices: []string{"d1", "d2", "end"}},
			&sitter{query: "tag=odd", devices: []string{"d1", "d3", "end"}},
			&sitter{query: "tag=odd&device=d1,d2,end", devices: []string{"d1", "end"}},
		)
	}
	ended := make(chan error, len(sitters))
	for _, s := range sitters {
		if s.query == "" {
			s.query = url.Values{"device": s.devices, "metric": s.metrics}.Encode()
		}
		s.stream = open(t, i.url(s.query), "")
		go func() { ended <- s.sit() }()
	}
	done, disturbed := make(chan struct{}), make(chan error)
	go func() { disturbed <- i.disturb(rand.New(rand.NewPCG(1, 2)), done) }()

	random := rand.New(rand.NewPCG(3, 4))
	log := posted{}
	for round := range 200 {
		data := randomData(random)
		switch round % 100 {
		case 10:
			data = append(data, readingsOf("d1", 8*1024+1)...) // too large for a step
		case 40:
			data = append(data, readingsOf("d2", 2048)...)
		case 60:
			i.FoldAll(t)
		case 80:
			i.post(t, datum{"gone", "m", 1, 1})
			require.NoError(t, i.Service.DeleteDevice(t.Context(), "gone"))
		}
		log[i.post(t, data...)] = data
	}
	head := i.post(t, closing)
	log[head] = []datum{closing}
	for range sitters {
		require.NoError(t, <-ended)
	}
	close(done)
	require.NoError(t, <-disturbed)
	positions := 0
	for _, s := range sitters {
		s.check(t, log, head)
		positions += len(slices.DeleteFunc(s.record, func(m message) bool { return m.Event != "position" })) - 1
	}
	require.Greater(t, positions, len(sitters), "viewers must have said where they are, or this tests little")
}

func TestViewer_ThatIsToEndWhileItIsAboutToParkEnds(t *testing.T) {
	t.Parallel()
	w := &haltedWindow{halted: make(chan struct{}), resume: make(chan struct{})}
	i := start(t, pgtest.New(t), func(o *options) { o.halt, o.pumps = w, 1 })
	open(t, i.url("device=a"), "")
	v := i.parked(t, 1)[0]
	w.hold.Store(true)
	v.mu.Lock()
	v.wake()
	v.mu.Unlock()
	<-w.halted // it has found that it need not end, and nothing to be read
	v.end(tokenRefused)
	close(w.resume)
	require.EqualValues(t, tokenRefused, i.ended(t, 1)["reason"])
}
