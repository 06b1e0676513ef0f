package embedded_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"telltale/config"
	"telltale/platform/postgres/embedded"
)

func TestEmbedded_AKilledProcessTakesItsServerAlongAndTheNextOneFindsTheData(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	for n := range 2 {
		c := startChild(t, accounts()[0], serveIn, opts.Dir)
		execute(t, c.serving(), fmt.Sprintf("CREATE TABLE t%d ()", n))
		c.kill()
	}
	s := start(t, opts)
	require.Equal(t, "2", query(t, s.Config(config.DB{}), "SELECT count(*)::text FROM pg_class WHERE relname IN ('t0', 't1')"))
}

func TestEmbedded_AFirstStartThatIsKilledDoesNotSpoilTheSecond(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	for !killInItsFirstStart(t, opts.Dir) {
		opts = options(folder(t))
	}
	start(t, opts)
	require.NoDirExists(t, filepath.Join(opts.Dir, "postgres.draft"))
}

// killInItsFirstStart kills a process while it makes the cluster beneath dir. It returns false when the cluster was there
// before the process was dead.
func killInItsFirstStart(t testing.TB, dir string) bool {
	c := startChild(t, accounts()[0], serveIn, dir)
	begun := func(path ...string) bool {
		_, err := os.Stat(filepath.Join(append([]string{dir}, path...)...))
		return err == nil
	}
	require.Eventually(t, func() bool { return begun("postgres.draft", "base") || begun("postgres") }, patience, time.Millisecond)
	c.kill()
	return !begun("postgres")
}

func TestEmbedded_AnEmptyFolderInTheClustersPlaceIsNoHindrance(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	require.NoError(t, os.MkdirAll(filepath.Join(opts.Dir, "postgres"), 0o755))
	start(t, opts)
}

func TestEmbedded_ALongLogIsPutAside(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	require.NoError(t, os.MkdirAll(opts.Dir, 0o700))
	path := filepath.Join(opts.Dir, "postgres.log")
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("long\n"), 2<<20), 0o600))
	start(t, opts)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(10_000))
	aside, err := os.Stat(path + ".1")
	require.NoError(t, err)
	require.EqualValues(t, 10<<20, aside.Size())
}

func TestEmbedded_AServerThatWasLeftRunningIsStopped(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	old := embedded.New(opts)
	require.NoError(t, old.Start(bounded(t)))
	execute(t, old.Config(config.DB{}), "CREATE TABLE kept ()")
	busy, err := connect(bounded(t), old.Config(config.DB{}))
	require.NoError(t, err)
	await := old.Abandon()

	s := start(t, opts)
	await()
	require.Error(t, busy.Ping(bounded(t)))
	_ = busy.Close(context.Background())
	require.Equal(t, "kept", query(t, s.Config(config.DB{}), "SELECT relname::text FROM pg_class WHERE relname = 'kept'"))
}

func TestEmbedded_AStalePidFileThatNamesALivingProcessIsNoHindrance(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	stop(t, start(t, opts))
	bystander := startChild(t, account{cred: ownerOf(t, opts.Dir)}, serveIn, folderOf(t, ownerOf(t, opts.Dir)))
	bystander.serving()
	pidFile := filepath.Join(opts.Dir, "postgres", "postmaster.pid")
	text := fmt.Sprintf("%d\n%s\n%d\n5432\n\n\n", bystander.Process.Pid, filepath.Dir(pidFile), time.Now().Unix())
	require.NoError(t, os.WriteFile(pidFile, []byte(text), 0o600))
	start(t, opts)
	bystander.leave()
}

// ownerOf returns the account that the cluster in a data folder belongs to.
func ownerOf(t testing.TB, dir string) *syscall.Credential {
	info, err := os.Stat(filepath.Join(dir, "postgres"))
	require.NoError(t, err)
	stat := info.Sys().(*syscall.Stat_t)
	if int(stat.Uid) == os.Getuid() {
		return nil
	}
	return &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}
}

// folderOf returns a data folder for another account.
func folderOf(t testing.TB, cred *syscall.Credential) string {
	dir := folder(t)
	if cred != nil {
		require.NoError(t, os.Chown(filepath.Dir(dir), int(cred.Uid), int(cred.Gid)))
	}
	return dir
}

func TestEmbedded_AServerThatDiesIsStartedAgainAndGivenUpWhenItKeepsDying(t *testing.T) {
	t.Parallel()
	opts := options(folder(t))
	lines := make(chan string, 1000)
	observed, _ := observer.New(zapcore.InfoLevel)
	opts.Log = zap.New(zapcore.RegisterHooks(observed, func(e zapcore.Entry) error {
		lines <- e.Message
		return nil
	}))
	s := embedded.New(opts)
	s.CountRestartsWithin(time.Hour)
	require.NoError(t, s.Start(bounded(t)))
	t.Cleanup(func() { stop(t, s) })
	cfg := s.Config(config.DB{})
	for n := range 6 {
		require.NoError(t, syscall.Kill(s.PID(), syscall.SIGKILL))
		if n == 5 {
			awaitLine(t, lines, "is not started again")
			return
		}
		awaitLine(t, lines, "running again")
		require.Equal(t, "1", query(t, cfg, "SELECT '1'"))
	}
}

func awaitLine(t testing.TB, lines <-chan string, text string) {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case line := <-lines:
			if strings.Contains(line, text) {
				return
			}
		case <-timeout:
			require.FailNow(t, "nothing logged: "+text)
		}
	}
}
