package httpapp

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	zaplog "go.uber.org/zap/zaptest/observer"

	"telltale/platform/httpserver"
)

func TestHealth_PartsThatStillStartAreNoNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := zaplog.New(zapcore.DebugLevel)
		h := newHealth(zap.New(core), httpserver.NewDrain())
		said := func(want ...string) {
			t.Helper()
			var got []string
			for _, entry := range logs.TakeAll() {
				got = append(got, entry.Message+" "+entry.ContextMap()["check"].(string))
			}
			require.Equal(t, want, got)
		}
		starting := errors.New("connecting")
		time.Sleep(time.Hour) // before the first request, as while PostgreSQL is downloaded
		h.note("database", starting)
		h.note("log", starting)
		time.Sleep(startTime - time.Second)
		h.note("database", nil)
		h.note("log", starting)
		said()

		time.Sleep(time.Second)
		h.note("log", starting)
		h.note("log", starting)
		said("not ready log")
		h.note("log", nil)
		said("ready again log")

		h.note("database", starting)
		said("not ready database")
		h.note("database", errors.New("refused"))
		said("not ready database")
		h.note("database", nil)
		said("ready again database")
	})
}
