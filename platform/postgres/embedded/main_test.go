package embedded_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/leak"
	"telltale/platform/postgres/embedded"
)

// patience is how long a test waits for something that ought to happen.
const patience = time.Minute

// The roles that this test binary plays for its own tests when one of these variables is set.
const (
	serveIn = "EMBEDDED_TEST_SERVE" // a folder: run a server there until standard input ends
	dialTo  = "EMBEDDED_TEST_DIAL"  // a socket: try to connect
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(serveIn) != "":
		serve(os.Getenv(serveIn))
	case os.Getenv(dialTo) != "":
		_, err := net.Dial("unix", os.Getenv(dialTo))
		fmt.Println(err)
	default:
		leak.Main(m)
	}
}

func options(dir string) embedded.Options {
	return embedded.Options{Dir: dir, MaxConnections: 5, Volatile: true, Log: zap.NewNop()}
}

func serve(dir string) {
	opts := options(dir)
	opts.Volatile = false
	s := embedded.New(opts)
	if err := s.Start(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(s.Config(config.DB{}))
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Stop(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// folder returns a data folder beneath one that only we can enter.
func folder(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: what takes PostgreSQL is not tested")
	}
	closed, err := os.MkdirTemp("", "telltale-") // not t.TempDir, whose path is too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(closed)) })
	return filepath.Join(closed, "data")
}

// start starts a server that is stopped when t ends.
func start(t testing.TB, opts embedded.Options) *embedded.Server {
	t.Helper()
	s := embedded.New(opts)
	require.NoError(t, s.Start(bounded(t)))
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t testing.TB, s *embedded.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, s.Stop(ctx))
}

func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// query runs a statement that returns one text.
func query(t testing.TB, cfg config.DB, sql string) string {
	t.Helper()
	conn, err := connect(bounded(t), cfg)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var answer string
	require.NoError(t, conn.QueryRow(bounded(t), sql).Scan(&answer))
	return answer
}

func connect(ctx context.Context, cfg config.DB) (*pgx.Conn, error) {
	cc, err := pgx.ParseConfig("sslmode=disable")
	if err != nil {
		return nil, err
	}
	cc.Host, cc.Port, cc.Database = cfg.Host, uint16(cfg.Port), cfg.Database
	cc.User, cc.Password = cfg.Username, cfg.Password
	return pgx.ConnectConfig(ctx, cc)
}

// account is a user that this test binary can be run as.
type account struct {
	name string
	cred *syscall.Credential // nil for our own
}

// accounts returns our own and, where we are root, that of nobody.
func accounts() []account {
	own := account{name: "uid " + strconv.Itoa(os.Getuid())}
	if os.Getuid() != 0 {
		return []account{own}
	}
	return []account{own, nobody()}
}

func nobody() account {
	return account{name: "nobody", cred: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

// child is this test binary in another role.
type child struct {
	*exec.Cmd
	t      testing.TB
	stdin  io.Closer
	stdout *bufio.Reader
}

// startChild runs a copy of this test binary, because the original lies where other accounts cannot go.
func startChild(t testing.TB, as account, variable, value string) *child {
	binary := filepath.Join(openFolder(t), "child")
	own, err := os.Executable()
	require.NoError(t, err)
	// By another program: a file that we had open for writing might still be so in a forked child, and could not be run.
	require.NoError(t, exec.Command("cp", own, binary).Run())

	c := &child{Cmd: exec.Command(binary), t: t}
	c.Dir, c.Env, c.Stderr = "/", append(os.Environ(), variable+"="+value), os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Credential: as.cred, Setpgid: true}
	stdin, err := c.StdinPipe()
	require.NoError(t, err)
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	c.stdin, c.stdout = stdin, bufio.NewReader(stdout)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}

// openFolder returns a folder that everybody may enter.
func openFolder(t testing.TB) string {
	dir, err := os.MkdirTemp("", "telltale-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

func (c *child) line() string {
	c.t.Helper()
	line, err := c.stdout.ReadString('\n')
	require.NoError(c.t, err, line)
	return strings.TrimSpace(line)
}

// serving returns the settings of the server that the child runs.
func (c *child) serving() (cfg config.DB) {
	c.t.Helper()
	line := c.line()
	require.NoError(c.t, json.Unmarshal([]byte(line), &cfg), line)
	return cfg
}

// leave asks the child to end and waits for it.
func (c *child) leave() {
	c.t.Helper()
	require.NoError(c.t, c.stdin.Close())
	require.NoError(c.t, c.Wait())
}

func (c *child) kill() {
	c.t.Helper()
	require.NoError(c.t, c.Process.Kill())
	_ = c.Wait()
}
