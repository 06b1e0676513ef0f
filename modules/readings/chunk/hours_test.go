package chunk

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHours_AreTheStatisticsOfEachHour(t *testing.T) {
	t.Parallel()
	const start = testStart - testStart%Day
	for name, all := range series(8000) {
		if name == "nasty" {
			continue // its times repeat, which no chunk's do
		}
		shift := all.TS[0] - start - 5*Hour // the first hours have no readings
		for i := range all.TS {
			all.TS[i] -= shift
		}
		all = all.Slice(start, start+Day)
		if all.Len() < 24*hourlyFrom {
			continue
		}
		var memory Points
		hours, err := DecodeHours(nil, &memory, EncodeHours(start, all))
		require.NoError(t, err, name)
		require.Len(t, hours, 24, name)
		for i, got := range hours {
			var want Statistics
			want.Add(all.Slice(start+int64(i)*Hour, start+int64(i+1)*Hour).Value)
			require.Equal(t, want, got, "%s, hour %d", name, i)
		}
	}
}

func TestHours_OfFewReadingsAreLeftOut(t *testing.T) {
	t.Parallel()
	require.Nil(t, EncodeHours(testStart, series(24*hourlyFrom - 1)["constant"]))
	require.NotNil(t, EncodeHours(testStart, series(24 * hourlyFrom)["constant"]))
}

func FuzzHours_ThatAreMalformedAreRefused(f *testing.F) {
	f.Add(EncodeHours(testStart, series(2976)["one decimal"]))
	f.Fuzz(func(t *testing.T, data []byte) {
		var memory Points
		if _, err := DecodeHours(nil, &memory, data); err != nil {
			require.ErrorIs(t, err, ErrMalformed)
		}
	})
}
