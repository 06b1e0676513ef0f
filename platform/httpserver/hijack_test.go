package httpserver_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/httpapp"
	"telltale/platform/httpserver"
)

func TestHijack_WhatAClientSendsAheadIsNotKeptForAsLongAsItsStream(t *testing.T) {
	t.Parallel()
	cfg, drain, kept := config.HTTP{Host: "127.0.0.1", MaxBodyBytes: 1 << 10}, httpserver.NewDrain(), make(chan []byte, 1)
	app := httpapp.NewApp(cfg, zap.NewNop(), drain, nil)
	app.Get("/", func(c *fiber.Ctx) error {
		return httpserver.Hijack(c, func(s *httpserver.Socket) {
			kept <- httpserver.Ahead(s)
			_ = s.Close()
		})
	})
	server := httpserver.NewServer(cfg, app, drain, zap.NewNop())
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
