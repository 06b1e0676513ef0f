package scan

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// sourceRows are rows that a test makes up.
type sourceRows struct {
	rows [][][]byte
	at   int // of the next row
	err  error
}

func (s *sourceRows) Next() bool          { s.at++; return s.at <= len(s.rows) }
func (s *sourceRows) RawValues() [][]byte { return s.rows[s.at-1] }
func (s *sourceRows) Err() error          { return s.err }

// wideRows returns n rows, each with a column of size bytes, a null and an empty one.
func wideRows(n, size int) *sourceRows {
	s := &sourceRows{}
	for i := range n {
		s.rows = append(s.rows, [][]byte{bytes.Repeat([]byte{byte(i)}, size), nil, {}})
	}
	return s
}

// readRest requires the rows of s from the i-th on.
func readRest(t *testing.T, k *keptRows, s *sourceRows, i int) {
	t.Helper()
	for ; k.Next(); i++ {
		require.Len(t, k.RawValues(), 3)
		for column, want := range s.rows[i] {
			require.True(t, bytes.Equal(want, k.RawValues()[column]) && (want == nil) == (k.RawValues()[column] == nil), "row %d, column %d", i, column)
		}
	}
	require.Len(t, s.rows, i)
}

func TestKeptRows_AreReadOnAsTheyCameHoweverManyCouldBeKept(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	full := make(chan struct{})
	close(full)
	for name, test := range map[string]struct {
		rows, before int
		others       int64 // bytes that other queries keep
		over         chan struct{}
		all          bool
	}{
		"all":                   {10, 3, 0, nil, true},
		"all, before the first": {10, 0, 0, nil, true},
		"none left":             {3, 3, 0, nil, true},
		"more than one may":     {40, 3, 0, nil, false},
		"more than all may":     {40, 3, maxKeptByAll - 2*size, nil, false},
		"nothing, all is full":  {40, 3, maxKeptByAll, nil, false},
		"the client reads on":   {10, 3, 0, full, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all atomic.Int64
			all.Store(test.others)
			source, released := wideRows(test.rows, size), 0
			k := &keptRows{from: source, release: func() { released++ }, all: &all}
			for range test.before {
				require.True(t, k.Next())
			}
			require.Equal(t, test.all, k.keep(test.over))
			require.Equal(t, test.all, released == 1)
			require.LessOrEqual(t, k.size, int64(maxKept+2*size))
			require.LessOrEqual(t, all.Load(), int64(maxKeptByAll+2*size))
			require.Equal(t, k.size, all.Load()-test.others)
			readRest(t, k, source, test.before)
			require.Equal(t, 1, released)
			require.Equal(t, test.others, all.Load())
		})
	}
}

func TestKeptRows_TellHowTheReadingEnded(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			t.Parallel()
			var all atomic.Int64
			source := wideRows(5, 10)
			source.err = errors.New("cut")
			k := &keptRows{from: source, release: func() {}, all: &all}
			require.True(t, k.Next())
			if keep {
				require.True(t, k.keep(nil))
				require.ErrorIs(t, k.Err(), source.err, "as soon as it is known")
			}
			for range 4 {
				require.True(t, k.Next())
			}
			require.False(t, k.Next())
			require.ErrorIs(t, k.Err(), source.err)
		})
	}
}
