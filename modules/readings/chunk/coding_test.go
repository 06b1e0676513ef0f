package chunk

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
)

// FuzzChunk_IsReadAsItWasWritten makes instants and values of arbitrary bytes.
func FuzzChunk_IsReadAsItWasWritten(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 39, 16, 0, 0, 39, 16, 0, 0, 39, 16, 0, 0, 39, 16, 255, 1, 2, 3})
	f.Fuzz(func(t *testing.T, raw []byte) {
		const start = 1_790_812_800_000
		var want Points
		for at := int64(start); len(raw) >= 4; raw = raw[4:] {
			step := int64(binary.BigEndian.Uint32(raw) & math.MaxInt32)
			if step == 0 && len(want.TS) > 0 {
				step = 1
			}
			at += step
			want.TS, want.Value = append(want.TS, at), append(want.Value, float64(step)/10)
		}
		types := pgtype.NewMap()
		deltas, err := types.Encode(pgtype.Int4ArrayOID, pgtype.BinaryFormatCode, EncodeDeltas(start, want.TS), nil)
		require.NoError(t, err)
		values := append([]float64{}, want.Value...)
		value, err := types.Encode(pgtype.Float8ArrayOID, pgtype.BinaryFormatCode, values, nil)
		require.NoError(t, err)
		got, err := Decode(Points{}, start, deltas, value)
		require.NoError(t, err)
		require.Equal(t, len(want.TS), got.Len())
		for i := range want.TS {
			require.Equal(t, want.TS[i], got.TS[i])
			require.InDelta(t, want.Value[i], got.Value[i], 0)
		}
	})
}

// FuzzChunk_ThatIsMalformedIsRefused gives Decode whatever there may be: it may refuse, but not fail.
func FuzzChunk_ThatIsMalformedIsRefused(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7},
		[]byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 189, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23}, []byte{})
	f.Fuzz(func(t *testing.T, deltas, value []byte) {
		points, err := Decode(Points{}, 0, deltas, value)
		if err == nil {
			require.Len(t, points.Value, points.Len())
			return
		}
		require.ErrorIs(t, err, ErrMalformed)
	})
}
