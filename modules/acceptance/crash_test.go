package acceptance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// kills is how often the program is killed: five times, or as TELLTALE_KILLS says (see task kill).
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("TELLTALE_KILLS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// Invariants 1 and 7: whatever was acknowledged is there, once, after a kill -9 during ingest and folds.
func TestKill_LosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	db := pgtest.Config(t)
	p := start(t, db)
	l, folds := newLoad(p), watchFolds(t, db)
	undone, n := 0, 0
	for ; n < kills(t) || undone == 0; n++ {
		moment := l.after(t, 1+random.IntN(40))
		if n%2 == 0 {
			moment = folds.begun(t)
		}
		l.until(t, moment, p.kill)
		p.start()
		if n%2 == 0 && folds.folded(t) == folds.before {
			undone++
		}
		l.check(t)
	}
	t.Logf("%d kills: %d posts and %d folds were cut off, %d folds by the kill undone; of the posts cut off %d were stored",
		n, l.postsCut.Load(), l.foldsCut.Load(), undone, l.storedUnknown)
	require.Positive(t, l.postsCut.Load(), "no request was under way")
	p.call("POST", "/api/readings/fold", "", "", nil)
	l.checkAll(t)
}

// foldLock is the key of the advisory lock that a fold holds.
const foldLock = 0x74656c6c_0002

// folds looks at folds from inside the database.
type folds struct {
	conn   *pgx.Conn
	before int64 // the seq folded up to when the last one was seen to begin
}

func watchFolds(t *testing.T, db config.DB) *folds {
	t.Helper()
	return &folds{conn: connect(t, db)}
}

// connect returns a connection of the test's own.
func connect(t *testing.T, db config.DB) *pgx.Conn {
	t.Helper()
	settings, err := postgres.ConnConfig(db)
	require.NoError(t, err)
	conn, err := pgx.ConnectConfig(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	return conn
}

// begun returns the moment when a fold holds its lock.
func (f *folds) begun(t *testing.T) func(<-chan struct{}) {
	const query = `
		SELECT (SELECT folded_seq FROM log_state), EXISTS (
			SELECT FROM pg_locks JOIN pg_database AS d ON d.oid = database
			WHERE datname = current_database() AND locktype = 'advisory' AND classid::bigint << 32 | objid::bigint = $1)`
	return func(ended <-chan struct{}) {
		t.Helper()
		for held := false; !held; {
			require.NoError(t, f.conn.QueryRow(t.Context(), query, int64(foldLock)).Scan(&f.before, &held))
			select {
			case <-ended:
				require.FailNow(t, "the program refuses its load")
			default:
			}
		}
	}
}

// folded returns the seq up to which the log is folded.
func (f *folds) folded(t *testing.T) (seq int64) {
	t.Helper()
	require.NoError(t, f.conn.QueryRow(t.Context(), `SELECT folded_seq FROM log_state`).Scan(&seq))
	return seq
}

// The embedded database dies with the program, and by itself: then it comes back while the program goes on.
func TestKill_OfTheDatabaseLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(8, 8))
	p := start(t, config.DB{})
	l := newLoad(p)
	for n := range max(2, kills(t)/5) {
		moment := l.after(t, 1+random.IntN(40))
		if n%2 == 0 {
			l.until(t, moment, p.killDatabase)
		} else {
			l.until(t, moment, p.kill)
			p.start()
		}
		l.check(t)
	}
	t.Logf("%d posts and %d folds were cut off; of the posts %d were stored", l.postsCut.Load(), l.foldsCut.Load(), l.storedUnknown)
	require.Positive(t, l.postsCut.Load(), "no request was under way")
	p.call("POST", "/api/readings/fold", "", "", nil)
	l.checkAll(t)
	require.Zero(t, p.stop(), p.log)
}

// killDatabase kills the main process of the embedded PostgreSQL, which the others end without.
func (p *program) killDatabase() {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "data", "postgres", "postmaster.pid"))
	require.NoError(p.t, err)
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	require.NoError(p.t, err)
	require.NoError(p.t, syscall.Kill(pid, syscall.SIGKILL))
}

// A stop that was asked for acknowledges what is under way, ends streams, and exits with 0.
func TestStop_OfTheProgramIsOrderly(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	viewer := p.view("", "")
	var posting sync.WaitGroup
	acknowledged := make([]int, 8)
	for w := range acknowledged {
		posting.Go(func() {
			for ts := 1; ; ts++ {
				body := fmt.Sprintf(`{"readings":[{"device":"device-%d","ts":%d,"values":{"m":1}}]}`, w, instantZero+ts)
				status, _, err := p.try("POST", "/api/readings", "application/json", strings.NewReader(body))
				if err != nil || status != http.StatusOK {
					return
				}
				acknowledged[w] = ts
			}
		})
	}
	viewer.wait(t, 200)
	require.Zero(t, p.stop(), p.log)
	posting.Wait()
	viewer.done.Wait() // the server has ended the stream
	p.start()
	got := p.history("")
	for w, n := range acknowledged {
		require.GreaterOrEqual(t, len(got[fmt.Sprintf("device-%d/m", w)]), n)
	}
}
