package streaming

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/devices"
	"telltale/platform/postgres/pgtest"
)

func TestLongListsOfAllViewersTogetherAreLimited(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	var ids []string
	for k := range 100 {
		ids = append(ids, fmt.Sprintf(`"device-%03d"`, k))
	}
	body := `{"device":[` + strings.Join(ids, ",") + `]}`
	size := int64(len(ids) * (len("device-000") + wordBytes))
	i.hub.lists.held.Add(listBytes - size) // by others: just enough is left
	first := i.submit(t, "application/json", body)
	require.Equal(t, http.StatusOK, first.response.StatusCode)
	refused := i.submit(t, "application/json", body)
	require.Equal(t, http.StatusServiceUnavailable, refused.response.StatusCode)
	require.Equal(t, "10", refused.response.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, connect(t, i.url("device=a&device=b"), "").response.StatusCode, "short ones are not refused")
	i.parked(t, 2)
	i.stop()
	first.untilEnd()
	require.Eventually(t, func() bool { return i.hub.lists.held.Load() == listBytes-size }, waiting, tick)
}

// panicking is a retention that does.
type panicking struct{}

func (panicking) Keeps(devices.SeriesState) bool { panic("by intent") }

func TestAPanicLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.Heartbeat = time.Hour })
	i.hub.retention = panicking{}
	open(t, i.url("every=1s"), "")
	i.parked(t, 1)
	i.post(t, datum{"a", "m", 1, 1})
	require.Equal(t, "failed", i.ended(t, 1)["reason"])
	require.Zero(t, i.hub.viewers())
	for _, p := range i.hub.pumps {
		require.Empty(t, p.members())
	}
	i.hub.tickets.mu.Lock()
	defer i.hub.tickets.mu.Unlock()
	require.Empty(t, i.hub.tickets.users)
}
