package streaming

import (
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth/authtest"
	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/modules/streaming/saved"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

// The server stops while it still starts: there is nothing to follow, and will not be.
func TestEventSource_ThatCannotBeServedIsNotEndedForGood(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	stopping := make(chan struct{})
	close(stopping)
	hub := NewHub(config.Streaming{}, Sources{
		Window: batchlog.NewFeed(batchlog.NewWindow(1)), Log: batchlog.NewLog(db), Registry: series.NewRegistry(db), Draining: stopping,
		Loaded: make(chan struct{}),
	}, prometheus.NewRegistry(), zap.NewNop())
	server := httpservertest.Serve(t, []httpapi.Routes{Routes(hub, saved.NewFilters(db), authtest.As(everyone))})
	ask := func(accept, lastID string) *stream {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/stream", nil)
		require.NoError(t, err)
		req.Header.Set("Accept", accept)
		req.Header.Set(lastEventID, lastID)
		res, err := server.Client.Do(req)
		require.NoError(t, err)
		t.Cleanup(func() { _ = res.Body.Close() })
		s := readFrom(t, res.Body)
		s.response = res
		return s
	}
	require.Equal(t, http.StatusServiceUnavailable, ask("*/*", "").response.StatusCode)
	s := ask("text/event-stream", "7:0")
	require.Equal(t, http.StatusOK, s.response.StatusCode)
	s.untilEnd()
	require.NotEmpty(t, s.retry)
	require.Equal(t, []string{"the log is still being loaded"}, s.comments)
	require.Empty(t, s.lastID, "nothing changes where the client was")
}
