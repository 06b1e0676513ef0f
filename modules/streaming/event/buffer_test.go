package event

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/batchlog"
	"telltale/modules/streaming/filter"
)

// Wherever a socket cuts a write, the viewer is behind the last event that has begun, and what is left of that comes next.
func TestBuffer_KnowsWhatAnyNumberOfBytesBrings(t *testing.T) {
	t.Parallel()
	b := &batchlog.Batch{
		Seq: 8, CommittedAt: time.UnixMicro(8), Series: []int32{0, 10, 20, 1}, TS: []int64{1, 2, 3, 4}, Value: []float64{1, 2, 3, 4},
	}
	cache := newCache(fakeNames{})
	f := filter.New(filter.Selection{Devices: []string{"d0", "d1"}}, nil, everyone) // of three devices
	buffer := NewBuffer(1 << 20)
	buffer.To = buffer.Take(&f, cache.Covering(b, 0), Position{Stamp: 7})
	require.Equal(t, Position{Stamp: 8}, buffer.To)
	require.Len(t, buffer.ends, 3)
	text := buffer.Text()
	for n := 0; n <= len(text); n++ {
		w := buffer.Written(n)
		var want Written
		begins := 0
		for i, end := range buffer.ends {
			if n <= begins {
				break
			}
			want = Written{Events: i + 1, At: end.after, LastID: end.after}
			if n < end.at {
				want.Rest = text[n:end.at]
			}
			begins = end.at
		}
		if n == len(text) {
			want.At = buffer.To
		}
		require.Equal(t, want, w, n)
	}
}

func TestBuffer_IsFullBehindTheEventThatReachesItsLimit(t *testing.T) {
	t.Parallel()
	b := &batchlog.Batch{Seq: 8, CommittedAt: time.UnixMicro(8), Series: []int32{0, 10, 20}, TS: []int64{1, 1, 1}, Value: []float64{1, 2, 3}}
	part := newCache(fakeNames{}).Covering(b, 0)
	everything := filter.Filter{}
	buffer := NewBuffer(1)
	pos := Position{Stamp: 7}
	for i := range 3 {
		buffer.Reset()
		pos = buffer.Take(&everything, part, pos)
		require.True(t, buffer.Full())
		require.Len(t, buffer.ends, 1, i)
	}
	require.Equal(t, Position{Stamp: 8}, pos)
	buffer.Reset()
	require.Equal(t, pos, buffer.Take(&everything, part, pos), "nothing of the part is left")
	require.Empty(t, buffer.Text())
}
