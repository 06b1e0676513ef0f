package streaming

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/render"
	"telltale/platform/postgres/pgtest"
)

// posted is the model of the log: what was posted, by seq.
type posted map[int64][]datum

// closing is posted last, and let through by every filter of the test.
var closing = datum{"end", "end", 0, 0}

// expected returns what a viewer with the filter must get of the log after seq: a plain second implementation.
func (p posted) expected(after, head int64, devices, metrics []string) (messages []message) {
	for seq := after + 1; seq <= head; seq++ {
		data := p[seq]
		for first := 0; first < len(data); {
			d, next := data[first], first
			var run []string
			var values []string
			for ; next < len(data) && data[next].device == d.device && data[next].ts == d.ts && !slices.Contains(run, data[next].metric); next++ {
				run = append(run, data[next].metric)
				if metrics == nil || slices.Contains(metrics, data[next].metric) {
					values = append(values, fmt.Sprintf(`"%s":%s`, data[next].metric, render.AppendFloat(nil, data[next].value)))
				}
			}
			if (devices == nil || slices.Contains(devices, d.device)) && len(values) > 0 {
				messages = append(messages, message{fmt.Sprintf("%d:%d", seq, first), "reading", fmt.Sprintf(
					`{"device":"%s","ts":"%s","values":{%s}}`, d.device, render.AppendTime(nil, d.ts), strings.Join(values, ","))})
			}
			first = next
		}
	}
	return messages
}

// follower is a viewer that is disconnected again and again.
type follower struct {
	devices, metrics []string
	ask              url.Values // instead of devices and metrics
	start            int64
	record           []message
	resumes          int
}

// follow records what it gets until the closing event, from whichever instance is there.
func (f *follower) follow(random *rand.Rand, instances func() []string) error {
	query := url.Values{"device": f.devices, "metric": f.metrics}
	if f.ask != nil {
		query = maps.Clone(f.ask)
	}
	if random.IntN(2) == 0 {
		query.Set("since", "0")
	} else {
		f.start = -1
	}
	lastID := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); f.resumes++ {
		bases := instances()
		s, err := dial(bases[random.IntN(len(bases))]+"/api/stream?"+query.Encode(), lastID)
		if err != nil || s.response.StatusCode != 200 {
			if err == nil {
				s.close()
			}
			continue // the instance is stopping
		}
		done, err := f.recordSome(s, random.IntN(300))
		lastID = s.lastID
		s.close()
		if done || err != nil {
			return err
		}
	}
	return errors.New("the closing event has not come")
}

// recordSome records up to n messages of one connection.
func (f *follower) recordSome(s *stream, n int) (done bool, err error) {
	for range n {
		m, err := s.receive()
		switch {
		case err != nil:
			return false, nil // the connection has ended
		case m.Event == "position":
			if f.start < 0 {
				_, err = fmt.Sscan(m.ID, &f.start)
			}
		case m.Event != "reading":
			return false, fmt.Errorf("an event of kind %s: %s", m.Event, m.Data)
		default:
			f.record = append(f.record, m)
			done = strings.Contains(m.Data, `"device":"end"`)
		}
		if done || err != nil {
			return done, err
		}
	}
	return false, nil
}

func randomData(random *rand.Rand) (data []datum) {
	n := 1 + random.IntN(20)
	if random.IntN(15) == 0 {
		n = 1500
	}
	for len(data) < n {
		device, ts := fmt.Sprint("d", random.IntN(6)), random.Int64N(4)
		for range 1 + random.IntN(5) {
			data = append(data, datum{device, fmt.Sprint("m", random.IntN(5)), ts, float64(random.IntN(1000)) / 8})
		}
	}
	return data
}

// Two instances on one database, one of them restarted again and again, the window small, so that viewers read from
// everywhere: each viewer's record must be the log, filtered.
func TestModel_EveryViewersRecordIsTheLogFiltered(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	small := func(o *options) { o.window = 4 << 10 }
	running := []*instance{start(t, pgtest.Open(t, cfg), small), start(t, pgtest.Open(t, cfg), small)}
	bases := []string{running[0].server.URL, running[1].server.URL}
	var mu sync.Mutex
	instances := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(bases)
	}

	followers := []*follower{
		{},
		{},
		{},
		{devices: []string{"d1", "end"}},
		{devices: []string{"d0", "d3", "d5", "end"}},
		{metrics: []string{"m2", "end"}},
		{devices: []string{"d2", "d4", "end"}, metrics: []string{"m0", "m1", "m3", "end"}},
		{devices: []string{"end"}},
		{ask: url.Values{"device": {"d[0-2]", "*n*"}}, devices: []string{"d0", "d1", "d2", "end"}},
		{ask: url.Values{"tag": {"odd"}}, devices: []string{"d1", "d3", "d5", "end"}},
		{ask: url.Values{"tag": {"odd"}, "device": {"d1", "d2", "e*"}, "slow": {"disconnect"}}, devices: []string{"d1", "end"}},
	}
	for _, device := range []string{"d1", "d3", "d5", "end"} {
		running[0].tag(t, device, "odd")
	}
	errs := make([]error, len(followers))
	var followed sync.WaitGroup
	for k, f := range followers {
		followed.Go(func() { errs[k] = f.follow(rand.New(rand.NewPCG(7, uint64(k))), instances) })
	}

	random := rand.New(rand.NewPCG(8, 9))
	log := posted{}
	for round := range 100 {
		data := randomData(random)
		log[running[random.IntN(2)].post(t, data...)] = data
		switch round % 25 {
		case 10:
			running[0].FoldAll(t)
		case 20:
			running[1].stop()
			running[1] = start(t, pgtest.Open(t, cfg), small)
			mu.Lock()
			bases[1] = running[1].server.URL
			mu.Unlock()
		}
	}
	head := running[0].post(t, closing)
	log[head] = []datum{closing}
	followed.Wait()
	resumes := 0
	for k, f := range followers {
		require.NoError(t, errs[k])
		want := log.expected(f.start, head, f.devices, f.metrics)
		for n := range min(len(want), len(f.record)) {
			require.Equal(t, want[n], f.record[n], "viewer %d, message %d, begun after %d", k, n, f.start)
		}
		require.Len(t, f.record, len(want), "viewer %d", k)
		resumes += f.resumes
	}
	require.Greater(t, resumes, len(followers), "the viewers must have been disconnected, or this tests little")
}
