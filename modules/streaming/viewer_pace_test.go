package streaming

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/render"
	"telltale/platform/postgres/pgtest"
)

func TestPacedStream_ThatRestsUntilItsTimeIsNotBehind(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	open(t, i.url("every=1h"), "")
	i.parked(t, 1)
	i.postMany(t, "a", 0, 3)
	w := i.watched(t)[0]
	require.Equal(t, "0", w.Position)
	require.Zero(t, w.LagBatches)
	require.Zero(t, *w.LagSeconds)
	require.Zero(t, i.hub.furthest())
}

func TestPacedStream_HasNewestReadingsAtItsPace(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	began, whole := time.Now(), 0
	for k, query := range []string{"every=1s", "every=1s&device=a", "every=1s&device=a*", "every=1s&metric=m&metric=n"} {
		at := int64(10 * k)
		data := func(ts int64, values string) string {
			return fmt.Sprintf(`{"device":"a","ts":"%s","values":{%s}}`, render.AppendTime(nil, at+ts), values)
		}
		s := open(t, i.url(query+"&snapshot=true"), "")
		s.snapshot()
		i.post(t, datum{"a", "m", at + 1, 1}, datum{"a", "n", at + 1, 1})
		i.post(t, datum{"a", "m", at + 2, 2}, datum{"a", "n", at + 1, 3})
		seq := fmt.Sprint(i.feed.Head())
		first := s.next()
		if first.ID == seq {
			require.Equal(t, message{seq, "reading", data(2, `"m":2,"n":3`)}, first)
			whole++
		} else { // on a busy machine the interval may end between the two
			require.Equal(t, data(1, `"m":1,"n":1`), first.Data)
			first = s.next()
			require.Equal(t, seq, first.ID)
		}
		i.post(t, datum{"a", "m", at + 3, 4})
		require.Equal(t, data(3, `"m":4`), s.next().Data)
		i.post(t, datum{"a", "m", at + 2, 0}) // is late, so not the newest
		resumed := open(t, i.url(query), first.ID)
		require.Equal(t, data(3, `"m":4`), resumed.next().Data)
		s.close()
		resumed.close()
	}
	require.Positive(t, whole, "two posts share an interval")
	require.GreaterOrEqual(t, time.Since(began), 12*time.Second-time.Second, "one event a second")
}
