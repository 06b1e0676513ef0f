package streaming

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// Whatever keeps the doorbell from ringing, the tail looks by itself from time to time: viewers of another instance get
// everything all the same.

// elsewhere appends a batch as another instance does, with or without the doorbell.
func (i *instance) elsewhere(t *testing.T, ring bool) {
	t.Helper()
	const insert = `
WITH appended AS (
	INSERT INTO reading_log (seq, min_ts, max_ts, series, data, count)
	SELECT seq + 1, min_ts, max_ts, series, data, count FROM reading_log ORDER BY seq DESC LIMIT 1
	RETURNING seq
)
SELECT CASE WHEN $1 THEN pg_notify('telltale_log', seq::text) END FROM appended`
	_, err := i.DB.Exec(t.Context(), insert, ring)
	require.NoError(t, err)
}

func TestDoorbell_ThatIsLostKeepsNothingPostedElsewhereFromViewers(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.postMany(t, "a", 0, 1)
	s := open(t, i.url("since=1"), "")
	const end = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'`
	for k := range 3 {
		require.Eventually(t, func() bool {
			var ended int
			require.NoError(t, i.DB.QueryRow(t.Context(), end).Scan(&ended))
			return ended == 1
		}, waiting, tick, "it listens, again")
		i.elsewhere(t, true)
		require.Equal(t, fmt.Sprintf("%d:0", k+2), s.next().ID)
	}
}

func TestDoorbell_ThatAPoolerDoesNotPassOnKeepsNothingPostedElsewhereFromViewers(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	here, there := start(t, pgtest.Open(t, cfg)), start(t, pgtest.Open(t, pgtest.BehindPooler(t, cfg, true)))
	s := open(t, there.url("since=0"), "")
	here.postMany(t, "a", 0, 10)
	require.Len(t, s.read(10), 10)
	there.postMany(t, "a", 10, 10)
	require.Len(t, s.read(10), 10)
}

func TestDoorbell_ThatNeverRangKeepsNothingFromViewers(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.postMany(t, "a", 0, 1)
	s := open(t, i.url("since=0"), "")
	require.Equal(t, "1:0", s.next().ID)
	i.elsewhere(t, false)
	require.Equal(t, "2:0", s.next().ID)
}

// What others watch costs a viewer nothing: it stays parked, and not a byte is written to it.
func TestViewer_IsWokenOnlyForWhatItWatches(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	for _, query := range []string{"device=mine", "device=min?", "metric=mine", "tag=mine"} {
		open(t, i.url(query), "")
	}
	i.tag(t, "mine", "mine")
	viewers := i.parked(t, 4)
	i.postMany(t, "other", 0, 1) // of which the tags have to be asked once
	goneBy := func() bool { return i.hub.furthest() == 0 }
	require.Eventually(t, goneBy, waiting, tick)
	require.Len(t, i.parked(t, 4), len(viewers))
	bytes := i.counted(t, "telltale_stream_bytes_total")
	wakes := i.counted(t, "telltale_stream_wakes_total")
	i.postMany(t, "other", 1, 200)
	i.post(t, readingsOf("other", 2048)...) // more than a part
	require.Eventually(t, goneBy, waiting, tick)
	require.Equal(t, wakes, i.counted(t, "telltale_stream_wakes_total"))
	require.Equal(t, bytes, i.counted(t, "telltale_stream_bytes_total"))
	i.post(t, datum{"mine", "mine", 1, 1})
	require.Eventually(t, func() bool { return i.counted(t, "telltale_stream_events_total") == float64(len(viewers)) }, waiting, tick)
	// Too large to be encoded for those who are parked: only who asks for a device by its id is known not to watch it.
	i.parked(t, 4)
	wakes = i.counted(t, "telltale_stream_wakes_total")
	i.post(t, readingsOf("other", 8*1024+1)...)
	require.Eventually(t, goneBy, waiting, tick)
	require.InDelta(t, wakes+3, i.counted(t, "telltale_stream_wakes_total"), 0)
}

// readingsOf returns n readings of a device.
func readingsOf(device string, n int) (data []datum) {
	for k := range n {
		data = append(data, datum{device, "m", int64(k), float64(k)})
	}
	return data
}
