package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// listen starts a listener and returns what its rings arrive in. It is stopped when t ends.
func listen(t testing.TB, db *postgres.DB) (*postgres.Listener, <-chan struct{}) {
	rings := make(chan struct{}, 1000)
	l := postgres.NewListener(db, `a "bell"`, func(string) { rings <- struct{}{} })
	require.NoError(t, l.Start(context.Background()))
	t.Cleanup(func() {
		require.NoError(t, l.Stop(context.Background()))
		require.False(t, l.Listening())
	})
	return l, rings
}

func awaitRing(t testing.TB, rings <-chan struct{}) {
	t.Helper()
	select {
	case <-rings:
	case <-time.After(patience):
		require.FailNow(t, "the bell did not ring")
	}
}

func notify(t testing.TB, db *postgres.DB) {
	_, err := db.Exec(context.Background(), `SELECT pg_notify('a "bell"', '')`)
	require.NoError(t, err)
}

func TestListener_EveryNotificationRings(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	here, there := pgtest.Open(t, cfg), pgtest.Open(t, cfg)
	l, rings := listen(t, here)
	awaitRing(t, rings) // for the connection
	require.True(t, l.Listening())
	for range 3 {
		notify(t, there)
		awaitRing(t, rings)
	}
	require.Empty(t, rings)
}

func TestListener_ASilentConnectionIsAskedForASignOfLife(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t, pgtest.Config(t))
	l, rings := listen(t, db)
	awaitRing(t, rings)
	asked := func() (at time.Time) {
		require.NoError(t, db.QueryRow(context.Background(), `
			SELECT query_start FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`).Scan(&at))
		return at
	}
	first := asked()
	require.Eventually(t, func() bool { return asked().After(first) }, patience, 100*time.Millisecond)
	require.True(t, l.Listening())
	notify(t, db)
	awaitRing(t, rings)
	require.Empty(t, rings)
}

func TestListener_OutlivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	db, log := open(t, m.cfg)
	l, rings := listen(t, db)
	awaitRing(t, rings)
	m.stop()
	log.await("no notifications come")
	m.start()
	log.await("come again")
	awaitRing(t, rings)
	require.True(t, l.Listening())
	require.Eventually(t, func() bool {
		_, err := db.Exec(context.Background(), "SELECT 1")
		return err == nil
	}, patience, 10*time.Millisecond)
	notify(t, db)
	awaitRing(t, rings)
	require.Equal(t, 1, log.count("no notifications come"))
}

func TestListener_APoolerThatDeliversNoNotificationsIsNoticed(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for name, c := range map[string]struct {
		discard   bool
		listening bool
	}{
		"a pooler that discards notifications": {discard: true, listening: false},
		"a pooler that passes notifications":   {discard: false, listening: true},
	} {
		t.Run(name, func(t *testing.T) {
			db, log := open(t, pgtest.BehindPooler(t, m.cfg, c.discard))
			l, rings := listen(t, db)
			if !c.listening {
				log.await("no notifications come")
				require.False(t, l.Listening())
				require.Contains(t, log.String(), "pooler")
				return
			}
			awaitRing(t, rings)
			require.True(t, l.Listening())
			notify(t, db)
			awaitRing(t, rings)
		})
	}
}
