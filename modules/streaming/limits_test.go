package streaming

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/series"
	"telltale/platform/postgres/pgtest"
)

func TestLimits_HoldForLongListsOfAllViewersTogether(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	var ids []string
	for k := range 100 {
		ids = append(ids, fmt.Sprintf(`"device-%03d"`, k))
	}
	body := `{"device":[` + strings.Join(ids, ",") + `]}`
	// Another stream has words of a mebibyte each, words themselves included: just enough is left of 256 MiB.
	const wordBytes, mebibyte = 64, 1 << 20
	size := len(ids) * (len("device-000") + wordBytes)
	words := slices.Repeat([]string{strings.Repeat("x", mebibyte-wordBytes)}, 255)
	words = append(words, strings.Repeat("x", mebibyte-wordBytes-size))
	other, err := i.hub.admission.Admit(everyone, "another")
	require.NoError(t, err)
	defer other.Release()
	require.NoError(t, other.ChargeLists(words))
	first := i.submit(t, "application/json", body)
	require.Equal(t, http.StatusOK, first.response.StatusCode)
	refused := i.submit(t, "application/json", body)
	require.Equal(t, http.StatusServiceUnavailable, refused.response.StatusCode)
	require.Equal(t, "10", refused.response.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, connect(t, i.url("device=a&device=b"), "").response.StatusCode, "short ones are not refused")
	i.parked(t, 2)
	i.stop()
	first.untilEnd()
	next, err := i.hub.admission.Admit(everyone, "another")
	require.NoError(t, err)
	defer next.Release()
	require.Eventually(t, func() bool { return next.ChargeLists(slices.Repeat([]string{"device-000"}, 100)) == nil }, waiting, tick)
}

// panicking is a retention that does.
type panicking struct{}

func (panicking) Keeps(series.State) bool { panic("by intent") }

func TestViewer_PanicLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.Heartbeat, o.streaming.MaxPerUser = time.Hour, 1 })
	i.hub.newest.Retention = panicking{}
	open(t, i.url("every=1s"), "")
	i.parked(t, 1)
	i.post(t, datum{"a", "m", 1, 1})
	require.Equal(t, "failed", i.ended(t, 1)["reason"])
	require.Zero(t, i.hub.viewers())
	for _, p := range i.hub.pumps {
		require.Empty(t, p.members())
	}
	_, err := i.hub.admission.Admit(everyone, "")
	require.NoError(t, err, "the permit within the limits is free again")
}
