package httpserver_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/httpapp"
	"telltale/platform/httpserver"
)

func TestServer_ARequestThatCrossesTheStopIsRefusedAndToldToRetry(t *testing.T) {
	t.Parallel()
	cfg, drain := config.HTTP{Host: "127.0.0.1", MaxBodyBytes: 1 << 10}, httpserver.NewDrain()
	server := httpserver.NewServer(cfg, httpapp.NewApp(cfg, zap.NewNop(), drain, nil), drain, zap.NewNop())
	require.NoError(t, server.Start(t.Context()))
	client, err := net.Dial("tcp", server.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	_, err = io.WriteString(client, "GET /api/free HTTP/1.1\r\nHost: x\r\n")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return httpserver.Busy(server) == 1 }, time.Minute, time.Millisecond)

	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop(context.Background()) }()
	<-drain.Draining()
	_, err = io.WriteString(client, "\r\n")
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(client), nil)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, 503, res.StatusCode)
	require.Equal(t, "1", res.Header.Get("Retry-After"))
	require.True(t, res.Close)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), "stopping")
	require.NoError(t, <-stopped)
}
