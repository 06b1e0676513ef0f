package httpserver_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
)

func TestWhileConnected_AHandlerHearsThatItsClientHasGone(t *testing.T) {
	t.Parallel()
	working, ended := make(chan struct{}), make(chan error, 1)
	url := httpservertest.New(t, httpapi.Routes{Name: "slow", Mount: func(api fiber.Router) {
		api.Get("/slow", func(c *fiber.Ctx) error {
			ctx, stop := httpserver.WhileConnected(c)
			defer stop()
			close(working)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil
		})
	}})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	_, err = conn.Write([]byte("GET /api/slow HTTP/1.1\r\nHost: x\r\n\r\n"))
	require.NoError(t, err)
	<-working
	require.NoError(t, conn.Close())
	select {
	case err := <-ended:
		require.ErrorIs(t, err, httpserver.ErrGone)
	case <-time.After(time.Minute):
		t.Fatal("the handler works on without a client")
	}
}

func TestWhileConnected_WatchingAClientLeavesItsConnectionAsItWas(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "slow", Mount: func(api fiber.Router) {
		api.Get("/slow", func(c *fiber.Ctx) error {
			ctx, stop := httpserver.WhileConnected(c)
			defer stop()
			if err := context.Cause(ctx); err != nil {
				return err
			}
			time.Sleep(time.Duration(c.QueryInt("ms")) * time.Millisecond) // as long as the work takes
			if err := context.Cause(ctx); err != nil {
				return err
			}
			return c.SendString("done " + c.Query("ms"))
		})
	}}})
	client := dial(t, server.URL)
	// The second request is sent while the first one is being worked on.
	for _, ms := range []string{"120", "1", "60"} {
		client.get("/api/slow?ms=" + ms)
	}
	for _, ms := range []string{"120", "1", "60"} {
		_, body := client.answer()
		require.Equal(t, "done "+ms, body)
	}
}

func TestWhileConnected_AClientThatLeavesIsNoFailureOfTheServer(t *testing.T) {
	t.Parallel()
	log, logs := httpservertest.WatchedLog()
	working := make(chan struct{})
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "slow", Mount: func(api fiber.Router) {
		api.Get("/slow", func(c *fiber.Ctx) error { // leaves before the answer
			ctx, stop := httpserver.WhileConnected(c)
			defer stop()
			working <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		api.Get("/endless", func(c *fiber.Ctx) error { // leaves in the middle of it
			return httpserver.Stream(c, func(w io.Writer) error {
				working <- struct{}{}
				for {
					if err := writeLong(w); err != nil {
						return err
					}
				}
			})
		})
		api.Get("/cut", func(c *fiber.Ctx) error { // leaves in the middle, and the work ends for that
			ctx, stop := httpserver.WhileConnected(c)
			defer stop()
			return httpserver.Stream(c, func(w io.Writer) error {
				if err := writeLong(w); err != nil {
					return err
				}
				working <- struct{}{}
				<-ctx.Done()
				return ctx.Err()
			})
		})
	}}}, httpservertest.WithLog(log))
	for _, path := range []string{"/api/slow", "/api/endless", "/api/cut"} {
		client := dial(t, server.URL)
		client.get(path)
		<-working
		require.NoError(t, client.Close())
	}
	require.Eventually(t, func() bool { return logs.FilterMessage("request").Len() == 3 }, time.Minute, time.Millisecond)
	for _, entry := range logs.All() {
		require.Equal(t, zapcore.InfoLevel, entry.Level, entry.ContextMap())
		if entry.Message == "request" {
			require.EqualValues(t, 499, entry.ContextMap()["status"])
		}
	}
}
