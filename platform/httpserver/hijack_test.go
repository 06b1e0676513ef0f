package httpserver

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
)

func TestWhatAClientSendsAheadIsNotKeptForAsLongAsItsStream(t *testing.T) {
	t.Parallel()
	cfg, drain, kept := config.HTTP{Host: "127.0.0.1", MaxBodyBytes: 1 << 10}, NewDrain(), make(chan []byte, 1)
	app := NewApp(cfg, zap.NewNop(), drain, nil)
	app.Get("/", func(c *fiber.Ctx) error {
		return Hijack(c, func(s *Socket) {
			kept <- s.own.leftover
			_ = s.Close()
		})
	})
	server := NewServer(cfg, app, drain, zap.NewNop())
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	client, err := net.Dial("tcp", server.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	_, err = io.WriteString(client, request+request)
	require.NoError(t, err)
	require.Empty(t, <-kept)
}
