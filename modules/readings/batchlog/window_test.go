package batchlog

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a view of everything leaves out below its head, the fold that follows it would lose.
func TestWindow_ViewOfEverythingHoldsEverythingUpToItsHead(t *testing.T) {
	t.Parallel()
	const series = 5000
	w := NewWindow(1 << 30)
	var wait sync.WaitGroup
	wait.Go(func() {
		for i := range int64(series) {
			w.Apply(&Batch{Seq: i + 1, Series: []int32{int32(i)}, TS: []int64{1}, Value: []float64{1}})
		}
	})
	for w.Head() < series {
		v := w.ViewAll()
		require.Len(t, v.Series, int(v.Head))
	}
	wait.Wait()
}
