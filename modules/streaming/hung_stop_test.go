package streaming

import (
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// hang has every statement about the log wait until the test ends.
func (i *instance) hang(t *testing.T) {
	t.Helper()
	locked, done, ended := make(chan error, 1), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = i.DB.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `LOCK TABLE reading_log, log_blocks_dropped, log_state, devices IN ACCESS EXCLUSIVE MODE`)
			locked <- err
			<-done
			return err
		})
	}()
	t.Cleanup(func() { close(done); <-ended })
	require.NoError(t, <-locked)
}

// waits waits until a statement about a table waits for its lock.
func (i *instance) waits(t *testing.T, table string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var n int
		err := i.DB.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass`, table).Scan(&n)
		return err == nil && n > 0
	}, waiting, tick)
}

func TestStop_TellsViewersWhileTheDatabaseHangs(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.window = 1 })
	i.postMany(t, "a", 0, 5)
	i.FoldAll(t)
	i.postMany(t, "a", 5, 2)
	live := open(t, i.url("device=a"), "")
	paced, buckets := open(t, i.url("every=1s"), ""), open(t, i.url("interval=1s"), "")
	tagged := open(t, i.url("tag=x"), "")
	i.parked(t, 4)
	i.hang(t)
	resuming := open(t, i.url("since=0"), "") // in the log table
	i.waits(t, "log_blocks_dropped")
	opening := make(chan *stream, 1)
	go func() {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, i.url("since=-1h"), nil)
		if err != nil {
			return
		}
		request.Header.Set("Accept", "text/event-stream")
		response, err := (&http.Transport{}).RoundTrip(request)
		if err != nil {
			close(opening)
			return
		}
		s := readFrom(t, response.Body)
		s.response = response
		opening <- s
	}()
	i.waits(t, "reading_log")
	go func() { _ = i.server.Stop(t.Context()) }()
	for name, s := range map[string]*stream{"live": live, "paced": paced, "buckets": buckets, "by tag": tagged, "resuming": resuming} {
		for {
			if _, err := s.receive(); err != nil {
				break
			}
		}
		require.Contains(t, s.comments, "server stopping", name)
		require.NotEqual(t, "3000", s.retry, name)
	}
	asked, ok := <-opening
	require.True(t, ok, "an EventSource that was waiting is answered")
	require.Equal(t, http.StatusOK, asked.response.StatusCode)
	asked.untilEnd()
	require.NotEmpty(t, asked.retry)
	require.Contains(t, asked.comments, "the server is stopping")
}
