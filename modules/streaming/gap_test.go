package streaming

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/streaming/event"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// narrowBlocks makes the blocks of an empty log so narrow that a test can fill some.
func narrowBlocks(t *testing.T, db *postgres.DB, width, count int) {
	t.Helper()
	statements := []string{`DROP TABLE reading_log_1`}
	for k := range count {
		first := 1 + k*width
		statements = append(statements,
			fmt.Sprintf(`CREATE TABLE reading_log_%d (LIKE reading_log INCLUDING ALL)`, first),
			fmt.Sprintf(`ALTER TABLE reading_log ATTACH PARTITION reading_log_%d FOR VALUES FROM (%d) TO (%d)`, first, first, first+width))
	}
	for _, statement := range statements {
		_, err := db.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
}

// dropBlocks folds, and drops what blocks it can.
func (i *instance) dropBlocks(t *testing.T) int {
	t.Helper()
	i.FoldAll(t)
	dropped, err := i.Log.DropBlocks(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	return dropped
}

func TestGap_IsOneEventForWhatTheLogNoLongerHas(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	narrowBlocks(t, db, 3, 10)
	i := start(t, db, func(o *options) { o.window = 1 })
	i.postMany(t, "a", 0, 8)
	require.Equal(t, 2, i.dropBlocks(t))
	i.postMany(t, "a", 8, 2)

	s := open(t, i.url("device=a&device=b%26c&metric=m&metric=n"), "2:0")
	gone := s.next()
	require.Equal(t, message{ID: "6", Event: "gap", Data: gone.Data}, gone)
	require.JSONEq(t, `{"reason":"retention","from":"1970-01-01T00:00:01.000Z","to":"1970-01-01T00:00:01.006Z","from_seq":2,"to_seq":6,
		"url":"/api/readings?device=a&device=b%26c&from=1970-01-01T00%3A00%3A01.000Z&metric=m&metric=n&to=1970-01-01T00%3A00%3A01.006Z"}`, gone.Data)
	require.Contains(t, gone.Data, "device=a&device=b%26c&from=", "the URL can be copied as it stands")
	require.Equal(t, []string{"7:0", "8:0", "9:0", "10:0"}, s.ids(4))
	i.postMany(t, "a", 10, 1)
	require.Equal(t, "11:0", s.next().ID)

	behind := open(t, i.url(""), gone.ID)
	require.Equal(t, "7:0", behind.next().ID, "there is no second gap behind the first")
	within := open(t, i.url("since=6"), "")
	require.Equal(t, "7:0", within.next().ID)
}

func TestGap_DoesNotTellWhenHiddenDevicesReported(t *testing.T) {
	t.Parallel()
	db, hour := pgtest.New(t), time.Hour.Milliseconds()
	narrowBlocks(t, db, 3, 10)
	i := start(t, db, impatient, func(o *options) { o.realTime, o.window, o.principal.Devices = true, 1, []string{"a"} })
	for k := range int64(8) {
		i.post(t, datum{"hidden", "m", -hour/2 + k*hour, 1})
	}
	require.Equal(t, 2, i.dropBlocks(t))
	for query, want := range map[string][]string{
		"since=0":                      {"1969-12-31T23:00:00.000Z", "1970-01-01T05:00:00.000Z"},
		"since=1970-01-01T00:10:00Z":   {"1970-01-01T00:10:00.000Z", "1970-01-01T05:00:00.000Z"},
		"since=0@86400000&interval=1s": {"1969-12-31T23:00:00.000Z", "1970-01-01T05:00:00.000Z"},
	} {
		var data event.Gap
		require.NoError(t, json.Unmarshal([]byte(open(t, i.url(query), "").next().Data), &data))
		require.Equal(t, want, []string{*data.From, *data.To}, query)
	}
}

func TestGap_TellsAPositionAheadOfTheLogApart(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	a := start(t, pgtest.Open(t, cfg))
	a.postMany(t, "a", 0, 3)
	s := open(t, a.url("device=a"), "9:4")
	m := s.next()
	require.Equal(t, "gap", m.Event)
	require.Equal(t, "3", m.ID)
	var data event.Gap
	require.NoError(t, json.Unmarshal([]byte(m.Data), &data))
	require.NotNil(t, data.From)
	from, to := "1970-01-01T00:00:01.000Z", "1970-01-01T00:00:01.003Z"
	require.Equal(t, event.Gap{
		Reason: "unknown", From: &from, To: &to, FromSeq: 9, ToSeq: 3,
		URL: "/api/readings?device=a&from=1970-01-01T00%3A00%3A01.000Z&to=1970-01-01T00%3A00%3A01.003Z",
	}, data)
	a.postMany(t, "a", 3, 1)
	require.Equal(t, "4:0", s.next().ID)
}

// takeBack opens streams, takes the log back to its fourth batch once they are parked, as a restore from a backup does, and
// returns them.
func (i *instance) takeBack(t *testing.T, queries []string) (streams []*stream) {
	t.Helper()
	for _, query := range queries {
		s := open(t, i.url(query), "")
		_, err := s.receive()
		require.NoError(t, err)
		streams = append(streams, s)
	}
	i.parked(t, len(streams))
	_, err := i.DB.Exec(t.Context(), `DELETE FROM reading_log WHERE seq > 4`)
	require.NoError(t, err)
	return streams
}

// A restore from a backup brings back the log of some time ago, and its seqs are given to other batches from there on.
func TestGap_TellsViewersOfALogThatWentBackAndTheyGoOn(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.window = 1 << 10 })
	i.postMany(t, "a", 0, 10)
	queries := []string{"device=a", "", "device=x", "every=1s", "slow=coalesce"}
	streams := i.takeBack(t, queries)
	for k, s := range streams {
		m := s.next()
		require.Equal(t, "gap", m.Event, queries[k])
		require.Equal(t, "4", m.ID)
		var data event.Gap
		require.NoError(t, json.Unmarshal([]byte(m.Data), &data))
		require.Equal(t, "unknown", data.Reason)
		require.EqualValues(t, []int64{10, 4}, []int64{data.FromSeq, data.ToSeq})
		require.Equal(t, []string{"1970-01-01T00:00:01.000Z", "1970-01-01T00:00:01.004Z"}, []string{*data.From, *data.To})
	}
	require.EqualValues(t, len(streams), i.counted(t, "telltale_stream_gaps_total"))
	i.post(t, datum{"a", "m", 1, 99}, datum{"x", "m", 1, 98})
	for k, s := range streams {
		r := s.next().reading(t)
		require.Equal(t, map[string]float64{"m": map[string]float64{"a": 99, "x": 98}[r.Device]}, r.Values, queries[k])
	}
	all := open(t, i.url("since=0"), "")
	require.Equal(t, []string{"1:0", "2:0", "3:0", "4:0", "5:0", "5:1"}, all.ids(6), "what had these seqs before is forgotten")
}

func TestViewer_EndsWhenTheLogCannotBeReadUntilItsClientComesBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	i := start(t, db, func(o *options) { o.window = 1 })
	i.postMany(t, "a", 0, 5)
	i.FoldAll(t)
	i.postMany(t, "a", 5, 1)
	_, err := db.Exec(t.Context(), `ALTER TABLE log_blocks_dropped RENAME TO elsewhere`)
	require.NoError(t, err)
	s := open(t, i.url("since=0"), "")
	s.untilEnd()
	require.Contains(t, s.comments, "log unreadable")
	require.Equal(t, "log unreadable", i.ended(t, 1)["reason"])
	_, err = db.Exec(t.Context(), `ALTER TABLE elsewhere RENAME TO log_blocks_dropped`)
	require.NoError(t, err)
	s = open(t, i.url("since=0"), s.lastID)
	require.Len(t, s.read(6), 6)
}
