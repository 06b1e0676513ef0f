package backlog

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/modules/streaming/filter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLog is a log table that gives two batches a read.
type fakeLog struct {
	batches []*batchlog.Batch
	gone    *batchlog.Missing // up to its LastStamp
	drops   *batchlog.Missing // becomes gone with the next read
	err     error
	reads   int
	hold    chan struct{} // ends each read, if it is set
}

func (l *fakeLog) ReadAfter(ctx context.Context, stamp int64, _ int) ([]*batchlog.Batch, error) {
	l.reads++
	if l.hold != nil {
		select {
		case <-l.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if l.drops != nil {
		l.gone, l.drops = l.drops, nil
	}
	newer := Newer(l.batches, stamp)
	return newer[:min(2, len(newer))], l.err
}

func (l *fakeLog) Missing(_ context.Context, after int64) (batchlog.Missing, bool, error) {
	if l.gone == nil || l.gone.LastStamp <= after {
		return batchlog.Missing{}, false, nil
	}
	return *l.gone, true, nil
}

// batch has a reading of each of the series. Its stamp is ten times its seq.
func batch(seq int64, ids ...int32) *batchlog.Batch {
	return &batchlog.Batch{Seq: seq, CommittedAt: time.UnixMicro(10 * seq), Series: ids, TS: make([]int64, len(ids)), Value: make([]float64, len(ids))}
}

func batches(seqs ...int64) (list []*batchlog.Batch) {
	for _, seq := range seqs {
		list = append(list, batch(seq, 1))
	}
	return list
}

func stamps(list []*batchlog.Batch) (stamps []int64) {
	for _, b := range list {
		stamps = append(stamps, b.Stamp())
	}
	return stamps
}

func TestBacklog_ReturnsWhatFollowsAPoint(t *testing.T) {
	t.Parallel()
	gone := &batchlog.Missing{FirstStamp: 1, LastStamp: 15, MinTS: 1, MaxTS: 2}
	away := errors.New("away")
	for name, c := range map[string]struct {
		log     fakeLog
		after   int64
		head    int64
		want    []int64
		missing *batchlog.Missing
		err     error
	}{
		"the first piece":                    {fakeLog{batches: batches(1, 2, 3)}, 0, 30, []int64{10, 20}, nil, nil},
		"between two stamps":                 {fakeLog{batches: batches(1, 2, 3)}, 15, 30, []int64{20, 30}, nil, nil},
		"none beyond the head":               {fakeLog{batches: batches(1, 2, 3)}, 0, 10, []int64{10}, nil, nil},
		"what is gone":                       {fakeLog{batches: batches(2, 3), gone: gone}, 0, 30, nil, gone, nil},
		"after what is gone":                 {fakeLog{batches: batches(2, 3), gone: gone}, 15, 30, []int64{20, 30}, nil, nil},
		"dropped while it reads":             {fakeLog{batches: batches(2, 3), drops: gone}, 0, 30, nil, gone, nil},
		"a hole":                             {fakeLog{batches: batches(1, 3)}, 0, 30, nil, nil, errHole},
		"nothing before a head":              {fakeLog{}, 0, 30, nil, nil, errHole},
		"a hole where some just was dropped": {fakeLog{batches: batches(1, 3), drops: gone}, 0, 30, nil, gone, nil},
		"a table that is away":               {fakeLog{err: away}, 0, 30, nil, nil, away},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, missing, err := New(&c.log, 1<<20).After(t.Context(), Point{Stamp: c.after}, c.head)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.missing, missing)
			require.Equal(t, c.want, stamps(got))
		})
	}
}

func TestBacklog_OneReadServesEveryViewerWithinIt(t *testing.T) {
	t.Parallel()
	log := &fakeLog{batches: batches(1, 2, 3, 4)}
	b := New(log, 1<<20)
	after := func(at Point) []int64 {
		t.Helper()
		got, missing, err := b.After(t.Context(), at, 40)
		require.NoError(t, err)
		require.Nil(t, missing)
		return stamps(got)
	}
	require.Equal(t, []int64{10, 20}, after(Point{Stamp: 0}))
	require.Equal(t, []int64{20}, after(Point{Stamp: 10}))
	require.Equal(t, 1, log.reads)
	require.Equal(t, []int64{30, 40}, after(Point{Stamp: 20}), "the piece ends there")
	require.Equal(t, 2, log.reads)
	require.Equal(t, []int64{10, 20}, after(Point{Stamp: 0, Replaced: 1}), "of another log")
	require.Equal(t, 3, log.reads)
	require.Equal(t, []int64{10, 20}, after(Point{Stamp: 5}))
	require.Equal(t, 3, log.reads)
}

func TestBacklog_KeepsPiecesWithinItsBudgetAndAtLeastOne(t *testing.T) {
	t.Parallel()
	log := &fakeLog{batches: batches(1, 2, 3, 4, 5, 6)}
	b := New(log, 4*180) // two pieces of two batches
	read := func(stamp int64) (reads int) {
		t.Helper()
		before := log.reads
		_, _, err := b.After(t.Context(), Point{Stamp: stamp}, 60)
		require.NoError(t, err)
		return log.reads - before
	}
	require.Equal(t, []int{1, 1, 0}, []int{read(0), read(20), read(0)})
	require.Equal(t, 1, read(40))
	require.Equal(t, 0, read(0), "it was used more recently than the one before")
	require.Equal(t, 1, read(20))
	require.Len(t, b.pieces, 2)
	require.Equal(t, 4*180, b.bytes)

	b = New(log, 1)
	require.Equal(t, []int{1, 0, 1}, []int{read(0), read(0), read(20)})
	require.Len(t, b.pieces, 1)
}

func TestBacklog_ReadsAFewAtOnceAndOnceForAllWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{batches: batches(1, 2, 3, 4), hold: make(chan struct{})}
		b := New(log, 1<<20)
		done := make(chan []int64, 10)
		after := func(ctx context.Context, stamp int64) {
			got, _, _ := b.After(ctx, Point{Stamp: stamp}, 40)
			done <- stamps(got)
		}
		go after(t.Context(), 0)
		synctest.Wait()
		go after(t.Context(), 20)
		synctest.Wait()
		require.Equal(t, MaxReads, log.reads)
		ctx, leave := context.WithCancel(t.Context())
		go after(ctx, 0)
		go after(t.Context(), 10)
		synctest.Wait()
		require.Equal(t, MaxReads, log.reads, "the others wait for their turn")
		leave()
		require.Empty(t, <-done)
		log.hold <- struct{}{} // ends the read from 0, which began first: its piece has what follows 10
		synctest.Wait()
		log.hold <- struct{}{}
		for range 3 {
			require.NotEmpty(t, <-done)
		}
		require.Equal(t, MaxReads, log.reads, "what waited found what was read meanwhile")
	})
}

func TestNewer_SkipsUpToAndWithTheStamp(t *testing.T) {
	t.Parallel()
	list := batches(1, 2, 3)
	for stamp, want := range map[int64][]int64{0: {10, 20, 30}, 10: {20, 30}, 11: {20, 30}, 29: {30}, 30: nil, 99: nil} {
		require.Equal(t, want, stamps(Newer(list, stamp)), stamp)
	}
	require.Empty(t, Newer(nil, 5))
}

// oneDevice knows the series 1 and 2 of the device d.
type oneDevice struct{}

func (oneDevice) Select(devices, _ []string) []series.State {
	return []series.State{{Series: series.Series{ID: 1, Device: devices[0]}}, {Series: series.Series{ID: 2, Device: devices[0]}}}
}

func TestSeriesHint_LeavesOutBatchesWithoutTheSeries(t *testing.T) {
	t.Parallel()
	few := filter.New(filter.Selection{Devices: []string{"d"}}, nil, access.Principal{})
	hint := Hint(&few, 50, oneDevice{})
	for name, c := range map[string]struct {
		b    *batchlog.Batch
		want bool
	}{
		"one of them": {batch(1, 7, 2), true}, "none of them": {batch(2, 7, 8), false}, "no readings": {batch(3), false},
		"at the head": {batch(5, 7), false}, "beyond the head": {batch(6, 7), true},
	} {
		require.Equal(t, c.want, hint.MayBeIn(c.b), name)
	}
	all := filter.New(filter.Selection{}, nil, access.Principal{})
	require.Nil(t, Hint(&all, 50, oneDevice{}))
	require.True(t, Hint(&all, 50, oneDevice{}).MayBeIn(batch(1)), "every batch has to be looked into")
}
