package readings_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/readings/chunk"
	"telltale/platform/postgres"
	"telltale/platform/postgres/embedded"
	"telltale/platform/postgres/pgtest"
)

// alone returns a database on a server of its own, whose write-ahead log nothing else writes to. It has everything that one
// has, images of pages after checkpoints included, but no commit waits until it is on disk.
func alone(t testing.TB) *postgres.DB {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: what takes PostgreSQL is not tested")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "telltale-wal-") // a test's own folder may have commas in its name, which hosts may not
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	server := embedded.New(embedded.Options{Dir: dir, MaxConnections: 10})
	require.NoError(t, server.Start(ctx))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	db := pgtest.Open(t, server.Config(config.DB{MaxConnections: 8, ConnectionTimeout: time.Minute, PreparedStatements: true}))
	for _, statement := range []string{`ALTER SYSTEM SET fsync = off`, `ALTER SYSTEM SET autovacuum = off`, `SELECT pg_reload_conf()`} {
		_, err := db.Exec(ctx, statement)
		require.NoError(t, err)
	}
	return db
}

// walMeter tells how much a server writes to its write-ahead log.
type walMeter struct {
	db *postgres.DB
	at int64
}

// lap returns how many bytes were written since the last lap.
func (m *walMeter) lap(t testing.TB) float64 {
	t.Helper()
	before := m.at
	require.NoError(t, m.db.QueryRow(t.Context(), `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint`).Scan(&m.at))
	return float64(m.at - before)
}

// walUse is bytes of write-ahead log by what wrote them: appending, folds, closing days and months with what has to be
// vacuumed then; rows is what a plain table took beside them.
type walUse struct{ log, fold, pack, rows float64 }

func (u walUse) total() float64 { return u.log + u.fold + u.pack }

// LAYOUT.md says what these bounds are made of. They are a fifth to a half more than is measured.
func TestWriteAheadLog_BytesAReadingAreBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		regularity
		most float64
	}{
		{regularity{"a minute apart", 50, chunk.Minute, 10 * chunk.Minute, 1, 1}, 40},
		{regularity{"one per 15 min", 50, 15 * chunk.Minute, 15 * chunk.Minute, 1, 1}, 380},
		{regularity{"one per 15 min, folded once a day", 50, 15 * chunk.Minute, 15 * chunk.Minute, 2, 24}, 66},
	} {
		readings, wal := c.liveThrough(t, alone(t))
		t.Logf("%s: %.0f bytes a reading (log %.0f, folds %.0f, days %.0f), plain rows %.0f", c.name,
			wal.total()/readings, wal.log/readings, wal.fold/readings, wal.pack/readings, wal.rows/readings)
		require.Less(t, wal.total()/readings, c.most, c.name)
	}
}
