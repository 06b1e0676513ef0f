package batchlog

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// tiny is the i-th of many batches with one reading, each as a commit or the log's reader makes it.
func tiny(i, series int) *Batch {
	return &Batch{Seq: int64(i), Series: []int32{int32(series)}, TS: []int64{int64(i)}, Value: []float64{1}}
}

func TestMemory_OfTinyRequestsReachesItsBoundBeforeTheirNumberDoes(t *testing.T) {
	t.Parallel()
	const readings = 50_000
	a := NewAppender(nil, nil, nil, readings, zap.NewNop())
	requests := func(n int) (taken []*request) {
		for {
			r := &request{make([]int32, n), make([]int64, n), make([]float64, n), make(chan result, 1)}
			if !a.enqueue(r) {
				return taken
			}
			taken = append(taken, r)
		}
	}
	for n, most := range map[int]int{1: readings * 20 / 532, 100: readings * 20 / 2512, readings / 4: 3} {
		taken := requests(n)
		require.Len(t, taken, most, n)
		require.Equal(t, n*most, a.Queued())
		require.LessOrEqual(t, a.QueuedBytes(), 20*readings)
		for range taken {
			a.answer([]*request{<-a.queue}, result{})
		}
		require.Zero(t, a.Queued())
		require.Zero(t, a.QueuedBytes())
	}
	alone := &request{make([]int32, 2*readings), nil, nil, nil}
	require.True(t, a.enqueue(alone), "what is alone has room")
	require.False(t, a.enqueue(&request{make([]int32, 1), nil, nil, nil}))
}

func TestMemory_OfTinyBatchesReachesItsBoundBeforeTheirNumberDoes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: the memory of a full window is not counted")
	}
	const readings, total = 1_000_000, 200_000
	for name, series := range map[string]int{"one series": 1, "a series each": total} {
		w, reached := NewWindow(1<<20), 0
		for i := 1; i <= total; i++ {
			w.Apply(tiny(i, i%series))
			if reached == 0 && w.Stats().UnfoldedBytes > UnfoldedMemory(readings) {
				reached = i
			}
		}
		require.Positive(t, reached, name)
		require.Less(t, reached, readings/7, name)
		before := w.Stats()
		w.Folded(total / 2)
		half := w.Stats()
		require.InDelta(t, before.UnfoldedBytes/2, half.UnfoldedBytes, unfoldedSeries, name)
		w.Folded(total)
		require.Zero(t, w.Stats().UnfoldedBytes, name)
	}
}

// What is charged is what the program takes. Not parallel: it looks at the whole program's memory.
func TestMemory_ChargedForUnfoldedReadingsIsWhatTheyTake(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the memory of a full window is not measured")
	}
	const total = 100_000
	for name, made := range map[string]func(i int) *Batch{
		"tiny batches of one series":       func(i int) *Batch { return tiny(i, 1) },
		"tiny batches, each of new series": func(i int) *Batch { return tiny(i, i) },
		"large batches": func(i int) *Batch {
			if i > total/100 {
				return &Batch{Seq: int64(i)}
			}
			b := &Batch{Seq: int64(i), Series: make([]int32, 1000), TS: make([]int64, 1000), Value: make([]float64, 1000)}
			for k := range b.Series {
				b.Series[k] = int32(k)
			}
			return b
		},
	} {
		w, before := NewWindow(1<<20), heap()
		for i := 1; i <= total; i++ {
			w.Apply(made(i))
		}
		taken, charged := heap()-before, w.Stats().UnfoldedBytes
		t.Logf("%s: %d bytes taken, %d charged", name, taken, charged)
		require.Less(t, taken, charged*5/4, name)
		require.Greater(t, taken, charged/2, name)
		runtime.KeepAlive(w)
	}
}

func heap() int {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

func TestMemory_OfSeriesThatAreDroppedIsGivenBack(t *testing.T) {
	t.Parallel()
	w := NewWindow(1 << 20)
	w.Apply(&Batch{Seq: 1, Series: []int32{1, 2}, TS: []int64{1, 1}, Value: []float64{1, 1}})
	before := w.Stats().UnfoldedBytes
	w.Apply(&Batch{Seq: 2, Dropped: []int32{2, 7}})
	require.Equal(t, before-unfoldedSeries+unfoldedBatch+8, w.Stats().UnfoldedBytes)
	w.Apply(&Batch{Seq: 3, Dropped: []int32{2}})
	w.Folded(3)
	require.Zero(t, w.Stats().UnfoldedBytes)
	w.Reset(State{})
	require.Zero(t, w.Stats().UnfoldedBytes)
}
