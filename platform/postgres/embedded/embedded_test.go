package embedded_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/postgres/embedded"
)

func TestEmbedded_AServerKeepsItsDataAcrossStartsAndIsSetUpForTelltale(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	opts.Volatile = false
	s := start(t, opts)
	cfg := s.Config(config.DB{MaxConnections: 7})
	require.Equal(t, 7, cfg.MaxConnections)
	require.False(t, cfg.Embedded())
	for setting, value := range map[string]string{
		"server_encoding": "UTF8", "lc_collate": "C", "data_checksums": "on", "fsync": "on", "TimeZone": "UTC",
		"listen_addresses": "", "jit": "off", "max_connections": "15", "password_encryption": "scram-sha-256",
	} {
		require.Equal(t, value, query(t, cfg, "SELECT setting FROM pg_settings WHERE name = '"+setting+"'"), setting)
	}
	query(t, cfg, "SELECT set_config('x.y', 'z', false)")
	execute(t, cfg, "CREATE TABLE kept AS SELECT 'still here' AS text")
	stop(t, s)
	stop(t, s)

	again := start(t, opts)
	require.Equal(t, "still here", query(t, again.Config(config.DB{}), "SELECT text FROM kept"))
}

func execute(t testing.TB, cfg config.DB, sql string) {
	t.Helper()
	conn, err := connect(bounded(t), cfg)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(bounded(t), sql)
	require.NoError(t, err)
}

func TestEmbedded_EveryAccountCanRunAServer(t *testing.T) {
	t.Parallel()
	for _, as := range accounts() {
		t.Run(as.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t) // beneath a folder that is closed to whomever root lends its work to
			if as.cred != nil {
				require.NoError(t, os.Chown(filepath.Dir(dir), int(as.cred.Uid), int(as.cred.Gid)))
			}
			for range 2 {
				c := startChild(t, as, serveIn, dir)
				require.Equal(t, "UTC", query(t, c.serving(), "SHOW timezone"))
				c.leave()
			}
			info, err := os.Stat(filepath.Join(dir, "postgres"))
			require.NoError(t, err)
			require.NotZero(t, info.Sys().(*syscall.Stat_t).Uid, "postgresql does not run as root")
		})
	}
}

func TestEmbedded_ADataFolderWithALongPathWorks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), strings.Repeat("long/", 30))
	s := start(t, options(dir))
	socket := s.Config(config.DB{}).Host
	require.Less(t, len(socket), 90)
	require.Equal(t, "1", query(t, s.Config(config.DB{}), "SELECT '1'"))
	stop(t, s)
	require.NoDirExists(t, socket)
}

func TestEmbedded_ASecondInstanceIsRefused(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	start(t, opts)
	err := embedded.New(opts).Start(bounded(t))
	require.EqualError(t, err, "another telltale (pid "+strconv.Itoa(os.Getpid())+") is already using "+opts.Dir)
}

func TestEmbedded_TheFolderIsFreeThoughAChildHasItsLockOpen(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	s := start(t, opts)
	shared, err := s.ShareLock()
	require.NoError(t, err)
	defer shared.Close()
	stop(t, s)
	start(t, opts)
}

func TestEmbedded_RefusesOtherUsers(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	// The way to the folder is open: what keeps others out has to be the folder itself.
	require.NoError(t, os.Chmod(filepath.Dir(opts.Dir), 0o755))
	require.NoError(t, os.Mkdir(opts.Dir, 0o755))
	cfg := start(t, opts).Config(config.DB{})

	if os.Getuid() == 0 {
		c := startChild(t, nobody(), dialTo, filepath.Join(cfg.Host, ".s.PGSQL.5432"))
		require.Contains(t, c.line(), "permission denied")
	}
	for _, path := range []string{cfg.Host, filepath.Join(opts.Dir, "postgres")} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), path)
	}
	for _, name := range []string{"postgres.password", "postgres.log", "telltale.lock"} {
		info, err := os.Stat(filepath.Join(opts.Dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	for _, password := range []string{"", "guess"} {
		guess := cfg
		guess.Password = password
		_, err := connect(bounded(t), guess)
		pgErr, ok := errors.AsType[*pgconn.PgError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, "28P01", pgErr.Code)
	}
	require.NoFileExists(t, filepath.Join(cfg.Host, "initial-password"))
}

func TestEmbedded_TheServerIsOutOfReachOfATerminalsCtrlC(t *testing.T) {
	t.Parallel()
	s := start(t, options(folder(t)))
	group, err := syscall.Getpgid(s.PID())
	require.NoError(t, err)
	require.NotEqual(t, syscall.Getpgrp(), group)
}

func TestEmbedded_ALostPasswordIsSaidToBeLost(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	stop(t, start(t, opts))
	require.NoError(t, os.Remove(filepath.Join(opts.Dir, "postgres.password")))
	require.ErrorContains(t, embedded.New(opts).Start(bounded(t)), "postgres.password, is missing")
}

func TestEmbedded_AnErrorAtStartQuotesTheServersLog(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	stop(t, start(t, opts))
	conf := filepath.Join(opts.Dir, "postgres", "postgresql.conf")
	text, err := os.ReadFile(conf)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(conf, []byte("no_such_setting = 1\n"), 0o600))
	require.ErrorContains(t, embedded.New(opts).Start(bounded(t)), "no_such_setting")

	require.NoError(t, os.WriteFile(conf, text, 0o600))
	start(t, opts)
}
