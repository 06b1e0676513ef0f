package streaming

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// clock is what tests close buckets by.
type clock struct {
	mu   sync.Mutex
	at   time.Time
	hubs []*Hub
}

func clockAt(t testing.TB, text string) *clock {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return &clock{at: at}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// watch has the hub's viewers woken when the clock moves.
func (c *clock) watch(h *Hub) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hubs = append(c.hubs, h)
}

// advance moves the clock on, as every viewer notices.
func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	c.at = c.at.Add(by)
	hubs := c.hubs
	c.mu.Unlock()
	for _, h := range hubs {
		for _, p := range h.pumps {
			for _, v := range p.members() {
				for !wakeParked(v) {
					runtime.Gosched()
				}
			}
		}
	}
}

// wakeParked wakes a viewer, and reports false when it may have looked at the clock but is not parked yet.
func wakeParked(v *viewer) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	was := v.state == parked
	v.wake()
	return was || v.state == ending || !slices.Contains(v.pump.members(), v)
}

// ts is the time the given number of milliseconds after the clock's, Unix ms.
func (c *clock) ts(after int64) int64 { return c.now().UnixMilli() + after }

// bucketData is the data of an event of buckets.
type bucketData struct {
	Device   string                                `json:"device"`
	TS       time.Time                             `json:"ts"`
	Interval string                                `json:"interval"`
	Values   map[string]map[string]json.RawMessage `json:"values"`
}

// bucketMap is the text of each aggregate by "device/metric ts aggregate".
type bucketMap map[string]string

// add takes in an event of buckets, of which the last word counts.
func (b bucketMap) add(data string) error {
	var d bucketData
	if err := json.Unmarshal([]byte(data), &d); err != nil {
		return err
	}
	for metric, aggregates := range d.Values {
		for aggregate, value := range aggregates {
			b[fmt.Sprint(d.Device, "/", metric, " ", d.TS.UnixMilli(), " ", aggregate)] = string(value)
		}
	}
	return nil
}

// history is what the API answers.
func (i *instance) history(t testing.TB, query url.Values) bucketMap {
	t.Helper()
	response, err := i.server.Client.Get(i.server.URL + "/api/readings?" + query.Encode())
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", text)
	var answer struct {
		Series []struct {
			Device, Metric string
			Columns        []string
			Points         [][]json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(text, &answer))
	all := bucketMap{}
	for _, s := range answer.Series {
		for _, point := range s.Points {
			for k, column := range s.Columns[1:] {
				all[fmt.Sprint(s.Device, "/", s.Metric, " ", string(point[0]), " ", column)] = string(point[k+1])
			}
		}
	}
	return all
}

func withClock(c *clock) func(*options) { return func(o *options) { o.clock = c } }

func TestBucketViewer_GetsABucketWhenItIsOverAndAgainWhenLateDataChangesIt(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c))
	s := open(t, i.url("interval=1m&agg=avg&agg=max&device=a"), "")
	begun, err := s.receive()
	require.NoError(t, err)
	require.Equal(t, "0@"+strconv.FormatInt(c.ts(0), 10), begun.ID)

	i.post(t, datum{"a", "m", c.ts(0), 1}, datum{"a", "m", c.ts(20_000), 2.5}, datum{"a", "n", c.ts(1000), 7}, datum{"b", "m", c.ts(0), 9})
	c.advance(time.Minute)
	require.Equal(t, message{
		fmt.Sprint("1@", c.ts(0)), "bucket",
		`{"device":"a","ts":"2026-11-01T12:00:00.000Z","interval":"1m","values":{"m":{"avg":1.75,"max":2.5},"n":{"avg":7,"max":7}}}`,
	}, s.next())

	i.post(t, datum{"a", "m", c.ts(10), 3}, datum{"b", "m", c.ts(-10), 9})
	i.post(t, datum{"a", "m", c.ts(-10), 5.5})
	again := s.next()
	require.Equal(t, message{
		fmt.Sprint("3@", c.ts(0)), "bucket",
		`{"device":"a","ts":"2026-11-01T12:00:00.000Z","interval":"1m","values":{"m":{"avg":3,"max":5.5}}}`,
	}, again)
	c.advance(10 * time.Minute)
	require.Equal(t, `{"device":"a","ts":"2026-11-01T12:01:00.000Z","interval":"1m","values":{"m":{"avg":3,"max":3}}}`, s.next().Data)

	resumed := open(t, i.url("interval=1m&device=a"), begun.ID)
	got := bucketMap{}
	for range 2 {
		require.NoError(t, got.add(resumed.next().Data))
	}
	require.Equal(t, i.history(t, url.Values{"device": {"a"}, "interval": {"1m"}, "from": {"0"}}), got)
	require.Equal(t, fmt.Sprint("3@", c.ts(0)), resumed.lastID)
}
