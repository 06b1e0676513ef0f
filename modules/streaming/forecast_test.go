package streaming

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/series"
	"telltale/platform/postgres/pgtest"
)

// tomorrow is an instant that is ahead of now for as long as a test takes.
func tomorrow() int64 { return time.Now().AddDate(0, 0, 1).UnixMilli() }

func TestForecast_HidesNoPresentReadingInASnapshot(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	i := start(t, pgtest.Open(t, cfg))
	now := time.Now().UnixMilli()
	i.post(t, datum{"a", "m", now, 1}, datum{"a", "m", tomorrow(), 2}, datum{"b", "m", tomorrow(), 3})
	want := map[string]float64{"a/m": 1}
	values, seq := open(t, i.url("snapshot=true"), "").snapshot()
	require.Equal(t, want, values)
	require.EqualValues(t, 1, seq)
	i.FoldAll(t)
	i.stop()
	i = start(t, pgtest.Open(t, cfg))
	values, _ = open(t, i.url("snapshot=true"), "").snapshot()
	require.Equal(t, want, values, "after a fold and a restart")
}

func TestForecast_IsDeliveredRawAndNotAtAPace(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	raw := open(t, i.url(""), "")
	paced := make([]*stream, 0, 3)
	for _, query := range []string{"every=1s", "every=1s&device=a", "every=1s&device=a*"} {
		paced = append(paced, open(t, i.url(query), ""))
	}
	i.post(t, datum{"a", "m", tomorrow(), 1})
	require.Equal(t, `{"m":1}`, valuesOf(raw.next()))
	i.post(t, datum{"a", "m", time.Now().UnixMilli(), 2})
	require.Equal(t, `{"m":2}`, valuesOf(raw.next()))
	for _, s := range paced {
		require.Equal(t, `{"m":2}`, valuesOf(s.next()), "the forecast comes after it")
	}
}

// valuesOf returns the values of an event as text.
func valuesOf(m message) string {
	return m.Data[strings.LastIndex(m.Data, "{") : len(m.Data)-1]
}

// No batch comes when a forecast's time does.
func TestForecast_ReachesPacedViewersWhenItsTimeHasCome(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.post(t, datum{"a", "m", time.Now().UnixMilli(), 1})
	var all []*stream
	for _, query := range []string{"every=1s", "every=1s&device=a", "every=1s&device=a*&metric=m", "every=1s&snapshot=true"} {
		s := open(t, i.url(query), "")
		if query == "every=1s&snapshot=true" {
			s.snapshot()
		}
		all = append(all, s)
	}
	resumed := open(t, i.url("every=1s"), "1")
	soon := time.Now().Add(series.AheadGrace + 2*time.Second).UnixMilli()
	i.post(t, datum{"a", "m", soon, 2}, datum{"a", "m", tomorrow(), 3})
	for _, s := range append(all, resumed) {
		require.Equal(t, `{"m":2}`, valuesOf(s.next()))
	}
	late := open(t, i.url("every=1s"), "2")
	require.Equal(t, `{"m":2}`, valuesOf(late.next()), "who resumes may not have got it")
	values, _ := open(t, i.url("snapshot=true"), "").snapshot()
	require.Equal(t, map[string]float64{"a/m": 2}, values)
}
