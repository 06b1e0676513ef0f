package streaming

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/auth/authtest"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"
)

// hesitant is a guard that lets requests through once it is told to.
type hesitant struct {
	*authtest.Guard
	asked, admit chan struct{}
}

func (h hesitant) RequireBrowser(scopes ...access.Scope) fiber.Handler {
	next := h.Guard.RequireBrowser(scopes...)
	return func(c *fiber.Ctx) error {
		close(h.asked)
		<-h.admit
		return next(c)
	}
}

func TestViewer_WhoseClientLeavesBeforeItIsAnsweredHoldsNothing(t *testing.T) {
	t.Parallel()
	g := hesitant{authtest.As(everyone), make(chan struct{}), make(chan struct{})}
	i := start(t, pgtest.New(t), func(o *options) { o.guard, o.streaming.MaxPerUser = g, 1 })
	i.postMany(t, "a", 0, 1)
	conn, err := net.Dial("tcp", strings.TrimPrefix(i.server.URL, "http://"))
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET /api/stream?snapshot=true&tag=x HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	<-g.asked
	require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
	require.NoError(t, conn.Close())
	close(g.admit)
	require.EqualValues(t, clientGone, i.ended(t, 1)["reason"])
	i.stop()
	_, err = i.hub.admission.Admit(everyone, "")
	require.NoError(t, err, "the permit within the limits is free again")
	require.False(t, i.followsTags(t))
	requireEmpty(t, i.hub.digests)
}

func TestViewer_ThatHasEndedIsForgotten(t *testing.T) {
	t.Parallel()
	opinion := &verdict{}
	i := start(t, pgtest.New(t), func(o *options) { o.checker = opinion })
	queries := []string{"", "device=a", "device=b", "tag=x", "every=1s", "interval=1s", "snapshot=true", "since=0"}
	for _, end := range []func(*stream){
		func(s *stream) { s.close() },
		func(*stream) {
			opinion.kind.Store(int64(fault.Unauthenticated))
			i.hub.recheck(anybody)
			opinion.kind.Store(0)
		},
	} {
		var streams []*stream
		for _, query := range queries {
			streams = append(streams, open(t, i.url(query), ""))
		}
		i.postMany(t, "a", 0, 3)
		var viewers []weak.Pointer[viewer]
		for _, v := range i.parked(t, len(queries)) {
			viewers = append(viewers, weak.Make(v))
		}
		for _, s := range streams {
			end(s)
		}
		require.Eventually(t, func() bool {
			runtime.GC()
			for _, v := range viewers {
				if v.Value() != nil {
					return false
				}
			}
			return true
		}, waiting, tick, "something keeps a viewer that has ended")
	}
}
