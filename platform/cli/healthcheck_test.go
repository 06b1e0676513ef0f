package cli

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/httpserver/httpservertest"
)

// instance serves readyz with the status given and returns where.
func instance(t *testing.T, status int) config.HTTP {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte("because"))
	}))
	t.Cleanup(server.Close)
	host, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	return config.HTTP{Host: host, Port: number}
}

func TestHealthcheck_PassesWhenTheInstanceIsReady(t *testing.T) {
	t.Parallel()
	require.NoError(t, Healthcheck(t.Context(), instance(t, http.StatusOK)))
}

func TestHealthcheck_SaysWhyTheInstanceIsNotReady(t *testing.T) {
	t.Parallel()
	err := Healthcheck(t.Context(), instance(t, http.StatusServiceUnavailable))
	require.ErrorContains(t, err, "/readyz answers 503 Service Unavailable: because")
}

func TestHealthcheck_FailsWhereNothingListens(t *testing.T) {
	t.Parallel()
	nobody := config.HTTP{Host: "127.0.0.1", Port: httpservertest.Port(t)}
	require.ErrorContains(t, Healthcheck(t.Context(), nobody), "connection refused")
}

func TestLocalURL_IsOfThisMachine(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"0.0.0.0": "http://127.0.0.1:8000", "::": "http://127.0.0.1:8000", "::1": "http://[::1]:8000",
		"10.1.2.3": "http://10.1.2.3:8000", "localhost": "http://localhost:8000",
	} {
		require.Equal(t, want, localURL(config.HTTP{Host: host, Port: 8000}))
	}
}
