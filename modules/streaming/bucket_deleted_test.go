package streaming

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/deletion"
	"telltale/modules/streaming/event"
	"telltale/platform/postgres/pgtest"
)

// delete deletes readings of a device in a range that begins and ends the given number of milliseconds after the clock's time.
func (i *instance) delete(t *testing.T, c *clock, device string, from, to int64) int64 {
	t.Helper()
	removed, err := i.Service.Delete(t.Context(), everyone, deletion.Request{Devices: []string{device}, From: c.ts(from), To: c.ts(to)})
	require.NoError(t, err)
	require.True(t, removed.Done)
	return removed.Seq
}

func TestBucketStream_TellsWhatADeletionHasChanged(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{"by device": "&device=a", "by pattern": "&device=a*", "everything": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := clockAt(t, "2026-11-01T12:00:00Z")
			i := start(t, pgtest.New(t), withClock(c))
			s := open(t, i.url("interval=1m&agg=count"+query), "")
			_, err := s.receive()
			require.NoError(t, err)
			for minute := range int64(4) {
				i.post(t, datum{"a", "m", c.ts(minute * 60_000), 1}, datum{"a", "m", c.ts(minute*60_000 + 30_000), 2})
			}
			c.advance(4 * time.Minute)
			const bucket = `{"device":"a","ts":"2026-11-01T12:0%d:00.000Z","interval":"1m","values":{"m":{"count":%d}}}`
			var last message
			for minute := range 4 {
				last = s.next()
				require.Equal(t, fmt.Sprintf(bucket, minute, 2), last.Data)
			}

			seq := i.delete(t, c, "a", -210_000, -60_000) // 12:00:30 to 12:03:00
			for _, viewer := range []*stream{s, open(t, i.url("interval=1m&agg=count"+query), last.ID)} {
				told := viewer.next()
				require.Equal(t, "gap", told.Event)
				var g event.Gap
				require.NoError(t, json.Unmarshal([]byte(told.Data), &g))
				require.Equal(t, []any{"deleted", "2026-11-01T12:00:00.000Z", "2026-11-01T12:03:00.000Z", seq, seq},
					[]any{g.Reason, *g.From, *g.To, g.FromSeq, g.ToSeq})
				require.Contains(t, g.URL, "/api/readings?")
				require.Equal(t, fmt.Sprintf(bucket, 0, 1), viewer.next().Data)
			}

			i.delete(t, c, "a", 0, 60_000) // nothing that was sent
			i.post(t, datum{"b", "m", c.ts(-60_000), 1})
			i.delete(t, c, "b", -60_000, 0)
			i.post(t, datum{"a", "m", c.ts(-60_000), 3}) // comes after both
			next := s.next()
			for query == "" && next.Event == "gap" || next.Event == "bucket" && next.Data[:13] == `{"device":"b"` {
				next = s.next()
			}
			require.Equal(t, fmt.Sprintf(bucket, 3, 2), next.Data)
		})
	}
}

func TestPacedStream_FallsBackToWhatADeletionHasLeft(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c))
	i.post(t, datum{"a", "m", c.ts(0), 1}, datum{"a", "m", c.ts(1000), 2})
	for _, query := range []string{"every=1s", "every=1s&device=a"} {
		s := open(t, i.url(query+"&snapshot=true"), "")
		s.snapshot()
		i.post(t, datum{"a", "m", c.ts(2000), 3})
		require.Contains(t, s.next().Data, `{"m":3}`)
		i.delete(t, c, "a", 2000, 3000)
		require.Contains(t, s.next().Data, `{"m":2}`)
		s.close()
	}
}
