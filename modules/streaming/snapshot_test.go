package streaming

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"telltale/modules/readings/history"

	"github.com/stretchr/testify/require"

	"telltale/modules/series"
	"telltale/modules/streaming/event"
	"telltale/platform/postgres/pgtest"
)

const (
	waiting = time.Minute
	tick    = time.Millisecond
)

// snapshot reads the state that a stream begins with (or that it brings a slow viewer), up to the position behind it.
func (s *stream) snapshot() (values map[string]float64, seq int64) {
	s.t.Helper()
	before := s.lastID
	values = map[string]float64{}
	for {
		m, err := s.receive()
		require.NoError(s.t, err)
		if m.Event == "position" {
			seq, err = strconv.ParseInt(m.ID, 10, 64)
			require.NoError(s.t, err)
			return values, seq
		}
		require.Equal(s.t, "snapshot", m.Event)
		require.Equal(s.t, before, m.ID, "events of a snapshot have no position in the log")
		var r reading
		require.NoError(s.t, json.Unmarshal([]byte(m.Data), &r))
		for metric, value := range r.Values {
			require.NotContains(s.t, values, r.Device+"/"+metric)
			values[r.Device+"/"+metric] = value
		}
	}
}

func TestSnapshot_HoldsTheNewestReadingOfEachSeries(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.post(t, datum{"b", "m", 5, 1}, datum{"a", "m", 5, 2}, datum{"a", "n", 5, 3}, datum{"a", "o", 7, 4})
	i.post(t, datum{"b", "m", 4, 9}, datum{"a", "n", 5, 8}) // one is late, one a correction
	s := open(t, i.url("snapshot=true&device=a"), "")
	for _, data := range []string{
		`{"device":"a","ts":"1970-01-01T00:00:00.005Z","values":{"m":2,"n":8}}`,
		`{"device":"a","ts":"1970-01-01T00:00:00.007Z","values":{"o":4}}`,
	} {
		require.Equal(t, message{"", "snapshot", data}, s.next())
	}
	i.post(t, datum{"a", "m", 8, 1})
	require.Equal(t, "3:0", s.next().ID)

	values, seq := open(t, i.url("snapshot=true&metric=m"), "").snapshot()
	require.Equal(t, map[string]float64{"a/m": 1, "b/m": 1}, values)
	require.EqualValues(t, 3, seq)
	resumed := open(t, i.url("snapshot=true"), "2")
	require.Equal(t, "3:0", resumed.next().ID, "a browser that comes back repeats the query, and wants no snapshot")
	none, seq := open(t, i.url("snapshot=true&device=none"), "").snapshot()
	require.Empty(t, none)
	require.EqualValues(t, 3, seq)
}

// While readings are posted all the time: what the snapshot says is exactly what was posted up to its seq, and the stream
// goes on with the batch after that.
func TestSnapshot_GoesOnWithNeitherHoleNorRepeat(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	const posts = 1500
	log := make([]float64, posts+1)
	var posting sync.WaitGroup
	posting.Go(func() {
		for n := range posts {
			device := fmt.Sprint("d", n%7)
			seq := i.post(t, datum{device, "m", int64(n), float64(n)})
			if seq != int64(n+1) {
				t.Errorf("batch %d has seq %d", n, seq)
			}
			log[seq] = float64(n)
			if n%300 == 100 {
				i.FoldAll(t)
			}
		}
	})
	for range 40 {
		s := open(t, i.url("snapshot=true"), "")
		values, seq := s.snapshot()
		want := map[string]float64{}
		for n := range int(seq) {
			want[fmt.Sprintf("d%d/m", n%7)] = float64(n)
		}
		require.Equal(t, want, values, "as of %d", seq)
		for n := seq + 1; n <= min(seq+20, posts); n++ {
			require.Equal(t, fmt.Sprintf("%d:0", n), s.next().ID)
		}
		s.close()
	}
	posting.Wait()
}

func TestSnapshot_AfterARestartIsAsOfTheFold(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	i := start(t, pgtest.Open(t, cfg))
	i.postMany(t, "a", 0, 5)
	i.FoldAll(t)
	i.stop()
	i = start(t, pgtest.Open(t, cfg))
	values, seq := open(t, i.url("snapshot=true"), "").snapshot()
	require.Equal(t, map[string]float64{"a/m": 4}, values)
	require.EqualValues(t, 5, seq)
}

func TestSnapshot_LeavesOutWhatIsPastItsRetention(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	now := time.Now().UnixMilli()
	i.post(t, datum{"short", "old", 1, 1}, datum{"short", "new", now, 2}, datum{"long", "old", 1, 3})
	_, err := i.DB.Exec(t.Context(), `UPDATE devices SET retention_days = 1 WHERE id = 'short'`)
	require.NoError(t, err)
	require.NoError(t, i.Registry.Load(t.Context()))
	values, _ := open(t, i.url("snapshot=true"), "").snapshot()
	require.Equal(t, map[string]float64{"short/new": 2, "long/old": 3}, values)
}

func TestSnapshot_GivesItsBudgetBack(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.postMany(t, "a", 0, 3)
	s := open(t, i.url("snapshot=true"), "")
	s.snapshot()
	s.close()
	i.ended(t, 1)
	requireEmpty(t, i.hub.digests)
}

// points is an answer of history.
type points struct {
	seq    int64
	device string
	seen   map[string]bool
}

func (p *points) Plan(history.Query, history.Plan) error { return nil }
func (p *points) Begin(seq int64, _ string) error        { p.seq = seq; return nil }
func (p *points) Series(s series.Series) error           { p.device = s.Device; return nil }
func (p *points) Bucket(int64, []float64) error          { return nil }
func (p *points) End(*history.Cursor) error              { return nil }

func (p *points) Points(ts []int64, _ []float64) error {
	for _, at := range ts {
		p.seen[fmt.Sprint(p.device, " ", at)] = true
	}
	return nil
}

// A page loads history and follows from the seq of the answer: it has every reading, and no event twice, while readings
// are posted and folded all the time.
func TestViewer_ThatFollowsHistoryMakesItWhole(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.window = 1 << 10 })
	const posts = 600
	stop := make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() {
		defer close(stop)
		for n := range posts {
			i.post(t, datum{fmt.Sprint("d", n%5), "m", int64(n), float64(n)})
		}
	})
	working.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				i.FoldAll(t)
			}
		}
	})
	for range 10 {
		query := history.Query{From: 0, To: posts}
		answer := &points{seen: map[string]bool{}}
		require.NoError(t, i.Queries.History(t.Context(), everyone, query, answer))
		require.Len(t, answer.seen, int(answer.seq), "each batch has one reading")
		s := open(t, i.url(fmt.Sprint("since=", answer.seq)), "")
		for n := answer.seq + 1; n <= min(posts, answer.seq+60); n++ {
			m := s.next()
			require.Equal(t, fmt.Sprintf("%d:0", n), m.ID)
			require.NotContains(t, answer.seen, fmt.Sprintf("d%d %d", (n-1)%5, n-1))
		}
		s.close()
	}
	working.Wait()
}

func TestViewer_SinceATimeBeginsWithWhatWasCommittedThen(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	db := pgtest.Open(t, cfg)
	narrowBlocks(t, db, 4, 10)
	i := start(t, db, func(o *options) { o.realTime = true })
	i.postMany(t, "a", 0, 9)
	i.stop()
	_, err := db.Exec(t.Context(), `UPDATE reading_log SET committed_at = now() - (100 - 10 * seq) * interval '1 minute'`) // 90, 80 … 10 minutes ago
	require.NoError(t, err)
	i = start(t, pgtest.Open(t, cfg), func(o *options) { o.realTime, o.window = true, 1 })
	for since, first := range map[string]int{"-65m": 4, "-90m": 2, "-1d": 1, "-5m": 10, "-15m": 9} {
		s := open(t, i.url("since="+since), "")
		if first < 10 {
			requireBatch(t, s, first, since)
		}
		s.close()
	}
	at := time.Now().Add(-35 * time.Minute).UTC().Format(time.RFC3339)
	requireBatch(t, open(t, i.url("since="+at), ""), 7, at)
	unix := strconv.FormatInt(time.Now().Add(-35*time.Minute).UnixMilli(), 10)
	requireBatch(t, open(t, i.url("since="+unix), ""), 7, "Unix ms, as history takes them")
	requireBatch(t, i.submit(t, "application/json", `{"since":`+unix+`}`), 7, unix)
	var third int64
	require.NoError(t, i.DB.QueryRow(t.Context(), `SELECT (extract(epoch FROM committed_at) * 1000000)::bigint FROM reading_log WHERE seq = 3`).Scan(&third))
	requireBatch(t, i.submit(t, "application/json", fmt.Sprintf(`{"since":%d}`, third)), 4, "a seq as history answers it")

	require.Equal(t, 2, i.dropBlocks(t))
	i.postMany(t, "a", 9, 1)
	s := open(t, i.url("since=-95m&tag=x"), "")
	m := s.next()
	require.Equal(t, "gap", m.Event)
	var data event.Gap
	require.NoError(t, json.Unmarshal([]byte(m.Data), &data))
	require.Equal(t, "retention", data.Reason)
	require.Contains(t, data.URL, "tag=x")
	whole := open(t, i.url("since=-9m"), "")
	require.Equal(t, []string{"amap[m:9]"}, values(whole.read(1)))
}

// requireBatch requires that the stream goes on with the n-th batch of those that postMany has posted from 0 on.
func requireBatch(t *testing.T, s *stream, n int, why string) {
	t.Helper()
	require.Equal(t, []string{fmt.Sprintf("amap[m:%d]", n-1)}, values(s.read(1)), why)
}
