package httpserver_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
)

func TestAHandlerHearsThatItsClientHasGone(t *testing.T) {
	t.Parallel()
	working, ended := make(chan struct{}), make(chan error, 1)
	url := httpservertest.New(t, httpserver.Routes{Name: "slow", Mount: func(api fiber.Router) {
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
		t.Fatal("the handler works on for nobody")
	}
}

func TestWatchingAClientLeavesItsConnectionAsItWas(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, []httpserver.Routes{{Name: "slow", Mount: func(api fiber.Router) {
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
