package streaming

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/modules/streaming/event"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// haltedNames holds up the next caller after hold.
type haltedNames struct {
	nameTable
	hold           atomic.Bool
	halted, resume chan struct{}
}

func (n *haltedNames) ByID(id int32) (series.Series, bool) {
	if n.hold.CompareAndSwap(true, false) {
		close(n.halted)
		<-n.resume
	}
	return n.nameTable.ByID(id)
}

// goBack makes the log end with seq, as a restore from a backup would, and waits until the instance has noticed.
func (i *instance) goBack(t *testing.T, db *postgres.DB, seq int64) {
	t.Helper()
	before, _ := i.feed.Replaced()
	_, err := db.Exec(t.Context(), `DELETE FROM reading_log WHERE seq > $1`, seq)
	require.NoError(t, err)
	require.Eventually(t, func() bool { times, _ := i.feed.Replaced(); return times > before }, waiting, tick)
}

func TestPump_ThatIsAboutToWriteWhatTheLogNoLongerHasLeavesViewersOfTheNewLogAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	i := start(t, db)
	names := &haltedNames{nameTable: i.Registry, halted: make(chan struct{}), resume: make(chan struct{})}
	resume := sync.OnceFunc(func() { close(names.resume) })
	t.Cleanup(resume)
	i.hub.encoded = event.NewCache(names, encodedBytes)
	i.postMany(t, "a", 0, 3)
	s := open(t, i.url(""), "")
	v := i.parked(t, 1)[0]
	i.served(t)
	names.hold.Store(true)
	i.postMany(t, "a", 3, 1)
	<-names.halted // in the pump, which encodes batch 4
	i.goBack(t, db, 3)
	v.mu.Lock()
	v.wake()
	v.mu.Unlock()
	i.parked(t, 1) // in the new log, where no pump has got yet
	resume()
	i.postMany(t, "a", 100, 2)
	require.Equal(t, []string{"amap[m:100]", "amap[m:101]"}, values(s.read(2)))
}

func TestPump_WritesNothingThatIsKeptOfALogThatIsNoMore(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	i := start(t, db, func(o *options) { o.window = 1 })
	i.postMany(t, "a", 0, 10)
	i.FoldAll(t)
	i.postMany(t, "a", 10, 2)
	for range i.hub.pumps {
		open(t, i.url("device=a"), "")
	}
	watching := i.parked(t, len(i.hub.pumps))
	s := open(t, i.url("since=0"), "")
	require.Equal(t, "amap[m:5]", values(s.read(12))[5])
	s.close()
	require.EqualValues(t, clientGone, i.ended(t, 1)["reason"])
	i.served(t)
	for _, v := range watching { // the pumps stop at them
		v.mu.Lock()
	}
	defer func() {
		for _, v := range watching {
			v.mu.Unlock()
		}
	}()
	i.postMany(t, "a", 12, 1)
	for _, p := range i.hub.pumps {
		require.Eventually(t, func() bool { return p.pos.Load() == 13 }, waiting, tick)
	}
	for k := range int64(13) {
		_, data := batchlog.Encode(&batchlog.Batch{TS: []int64{1000 + k}, Value: []float64{-1}})
		_, err := db.Exec(t.Context(), `UPDATE reading_log SET data = $2, committed_at = committed_at + interval '1 second' WHERE min_ts = $1`, 1000+k, data)
		require.NoError(t, err)
	}
	i.goBack(t, db, 11)
	// The stamps of the forged log are a second later, and that of the fold's mark is not: until the next batch the head is too old.
	require.Eventually(t, func() bool { return i.hub.window.Head() > 1_000_000 }, waiting, tick)
	s = open(t, i.url("since=5"), "")
	require.Equal(t, "gap", s.next().Event, "the batch is another one")
	require.Equal(t, []string{"amap[m:-1]"}, values(s.read(1)))
}
