package streaming

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/batchlog"
	"telltale/modules/streaming/event"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// restore makes the database what it was after its first batches, as a restore from a backup does, and has other batches take the
// seqs of those that are lost.
func restore(t *testing.T, db *postgres.DB, kept, others int) {
	t.Helper()
	require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `DELETE FROM reading_log WHERE seq > $1`, kept); err != nil {
			return err
		}
		for n := 1; n <= others; n++ {
			at := int64(5000 + n)
			ids, data := batchlog.Encode(&batchlog.Batch{Series: []int32{1}, TS: []int64{at}, Value: []float64{float64(n) + .5}})
			_, err := tx.Exec(t.Context(), `INSERT INTO reading_log (seq, count, min_ts, max_ts, series, data) VALUES ($1, 1, $2, $2, $3, $4)`,
				kept+n, at, ids, data)
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// historySeq returns the seq that an answer of history has.
func (i *instance) historySeq(t *testing.T) int64 {
	t.Helper()
	response, err := i.server.Client.Get(i.server.URL + "/api/readings?device=a&from=0&to=946684800000")
	require.NoError(t, err)
	defer response.Body.Close()
	var answer struct {
		Seq int64 `json:"seq"`
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return answer.Seq
}

func requireForeign(t *testing.T, s *stream, name string) event.Gap {
	t.Helper()
	m := s.next()
	require.Equal(t, "gap", m.Event, name)
	var data event.Gap
	require.NoError(t, json.Unmarshal([]byte(m.Data), &data))
	require.Equal(t, "unknown", data.Reason, name)
	require.NotNil(t, data.From, name)
	require.LessOrEqual(t, *data.From, "1970-01-01T00:00:05.001Z", name)
	require.GreaterOrEqual(t, *data.To, "1970-01-01T00:00:05.006Z", name)
	require.Contains(t, data.URL, "from=", name)
	return data
}

// The log has as many batches as before, and more: by their number a position would be one of this log. Whatever says where a
// viewer was, and whichever instance it comes to, it is told, and gets everything newer than its position.
func TestPosition_OfALogThatWentBackGetsAGapAndWhatFollows(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	realTime := func(o *options) { o.realTime = true }
	i := start(t, pgtest.Open(t, cfg), realTime)
	i.postMany(t, "a", 0, 10)
	s := open(t, i.url("since=0"), "")
	ids := s.ids(10)
	stamps := []string{fmt.Sprint(i.historySeq(t)), fmt.Sprint(i.post(t, datum{"a", "m", 1, 1}))}
	old, common := ids[9], ids[3]
	require.Equal(t, []string{"amap[m:1]"}, values(s.read(1)))
	restore(t, i.DB, 4, 9)
	require.Eventually(t, func() bool { times, _ := i.feed.Replaced(); return times > 0 }, waiting, tick)
	requireForeign(t, s, "a viewer that follows")
	require.Equal(t, "1.5", fmt.Sprint(s.read(1)[0].Values["m"]), "nothing of the log that is now is left out")

	small := func(o *options) { o.realTime, o.window = true, 1 }
	other := start(t, pgtest.Open(t, cfg), small)
	other.FoldAll(t)
	for name, on := range map[string]*instance{"the same instance": i, "another": other, "after a restart": start(t, pgtest.Open(t, cfg), realTime)} {
		for query, header := range map[string]string{
			"": old, "device=a": old, "slow=gap": old, "lastEventId=" + url.QueryEscape(old): "", "since=" + url.QueryEscape(old): "",
			"since=" + stamps[0]: "", "since=" + stamps[1]: "", "since=" + ids[9][:strings.Index(ids[9], ":")]: "",
		} {
			s := open(t, on.url(query), header)
			requireForeign(t, s, name+" "+query)
			require.Equal(t, "1.5", fmt.Sprint(s.read(1)[0].Values["m"]), name+" "+query)
			s.close()
		}
		requireForeign(t, open(t, on.url("every=1s"), old), name+" paced")
		requireForeign(t, open(t, on.url("interval=1s"), stamps[0]+"@5000"), name+" buckets")
		requireForeign(t, on.submit(t, "application/json", `{"since":`+stamps[0]+`}`), name+" posted")
		requireForeign(t, on.submit(t, "application/json", `{"last_event_id":"`+old+`","device":"a"}`), name+" posted id")
		whole := open(t, on.url(""), common)
		require.Equal(t, []string{"amap[m:1.5]", "amap[m:2.5]"}, values(whole.read(2)), "what both logs have needs no gap")
		require.NotZero(t, on.logs.FilterMessageSnippet("none of this log").Len(), name)
	}
}

// An idle log loses all its blocks; where it ended is remembered.
func TestPosition_OfALogWithoutBlocksIsStillKnown(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	db := pgtest.Open(t, cfg)
	narrowBlocks(t, db, 3, 10)
	realTime := func(o *options) { o.realTime, o.window = true, 1 }
	i := start(t, db, realTime)
	i.postMany(t, "a", 0, 6)
	ids := open(t, i.url("since=0"), "").ids(6)
	seq := i.historySeq(t)
	require.Equal(t, 2, i.dropBlocks(t))
	again := start(t, pgtest.Open(t, cfg), realTime)
	var known []*stream
	for name, on := range map[string]*instance{"the same instance": i, "another": again} {
		known = append(known, open(t, on.url(""), fmt.Sprint(seq)), open(t, on.url(fmt.Sprint("since=", seq)), ""))
		gone := open(t, on.url(""), ids[1]).next()
		require.Equal(t, "gap", gone.Event, name)
		require.Contains(t, gone.Data, `"retention"`, name)
		ahead := open(t, on.url(fmt.Sprint("since=", seq+1)), "").next()
		require.Contains(t, ahead.Data, `"unknown"`, name)
	}
	i.post(t, datum{"a", "m", 1, 7})
	for _, s := range known {
		require.Equal(t, []string{"amap[m:7]"}, values(s.read(1)))
	}
}

// Stamps name batches, whatever the server's clock does.
func TestPosition_StampsAscendAlthoughTheClockGoesBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	realTime := func(o *options) { o.realTime = true }
	first := start(t, db, realTime).post(t, datum{"a", "m", 1, 1})
	_, err := db.Exec(t.Context(), `UPDATE reading_log SET committed_at = committed_at + interval '1 hour'`)
	require.NoError(t, err)
	i := start(t, db, realTime) // it has not seen the batch as it was
	second := i.post(t, datum{"a", "m", 2, 2})
	require.Equal(t, first+time.Hour.Microseconds()+1, second)
	require.NoError(t, i.Service.DeleteDevice(t.Context(), "a"))
	require.Greater(t, i.feed.Head(), second)
	require.Less(t, second, int64(1)<<53, "JavaScript has the number as it is")
}

// An id of before positions had stamps names nothing.
func TestPosition_OfAVersionThatCountedBatchesGetsAGap(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.realTime = true })
	i.postMany(t, "a", 0, 3)
	for query, header := range map[string]string{"": "2:0", "since=2": "", "interval=1s": "2@5000", "since=1000": "", "since=9223372036854775807": ""} {
		s := open(t, i.url(query), header)
		require.Equal(t, "gap", s.next().Event, query)
	}
	require.Equal(t, []string{"amap[m:0]", "amap[m:1]"}, values(open(t, i.url("since=0"), "").read(2)))
}

func TestPosition_AnETagOfADatabaseThatWasRestoredDoesNotMatch(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.realTime = true })
	ask := func(tag string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, i.server.URL+"/api/readings?device=a&from=0&to=946684800000", nil)
		require.NoError(t, err)
		request.Header.Set("If-None-Match", tag)
		response, err := i.server.Client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response
	}
	i.postMany(t, "a", 0, 10)
	tag := ask("").Header.Get("ETag")
	require.Equal(t, http.StatusNotModified, ask(tag).StatusCode)
	restore(t, i.DB, 4, 6)
	require.Eventually(t, func() bool { return ask(tag).StatusCode == http.StatusOK }, waiting, tick)
}
