package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/httpserver/httpservertest"
)

// root is the folder of the main package, seen from this one.
const root = "../.."

// program returns the path of the binary to measure.
func (e *environment) program(b testing.TB) string {
	b.Helper()
	if given := os.Getenv("TELLTALE_BINARY"); given != "" {
		return given
	}
	if e.binary == "" {
		e.binary = build(b, filepath.Join(e.folder(b), "telltale"))
	}
	return e.binary
}

// buildCommand finds how the image's binary is built.
var buildCommand = regexp.MustCompile(`go build .* -o /out/telltale \.`)

// build builds the program as the Dockerfile does, so that what is measured is what is shipped, and returns its path.
func build(b testing.TB, path string) string {
	b.Helper()
	dockerfile, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	require.NoError(b, err)
	command := buildCommand.FindString(string(dockerfile))
	require.NotEmpty(b, command)
	cmd := exec.Command("sh", "-euc", strings.Replace(command, "/out/telltale", `"$BINARY"`, 1))
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0", "VERSION=dev", "BINARY="+path)
	output, err := cmd.CombinedOutput()
	require.NoError(b, err, string(output))
	return path
}

// child is a process that ends with its benchmark.
type child struct {
	cmd   *exec.Cmd
	log   string // where its output goes
	ended chan struct{}
}

// spawn starts a child. Nothing of our environment reaches it but what is given.
func spawn(b testing.TB, log string, environment []string, path string, args ...string) *child {
	b.Helper()
	output, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(b, err)
	defer output.Close()
	cmd := exec.Command(path, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}, environment...)
	cmd.Stdout, cmd.Stderr = output, output
	endWithParent(cmd)
	require.NoError(b, cmd.Start())
	c := &child{cmd: cmd, log: log, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		_ = cmd.Wait() // its exit status does not matter: a test that needs it notices that it ended
	}()
	return c
}

// stop ends the child, by force if it takes too long.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.ended:
	case <-time.After(15 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}

// program is the program under measurement.
type program struct {
	*child
	address string
	token   string
	// ready is the time from the start of the process to the first 200 of /readyz.
	ready time.Duration
}

const adminPassword = "benchmarks-only-1"

// startProgram runs the program on a database until it is stopped. Settings are further environment variables.
func startProgram(b testing.TB, db config.DB, settings ...string) *program {
	b.Helper()
	return startCommand(b, db, nil, settings...)
}

// startCommand is startProgram with arguments.
func startCommand(b testing.TB, db config.DB, arguments []string, settings ...string) *program {
	b.Helper()
	port := httpservertest.Port(b)
	environment := append([]string{
		"PORT=" + strconv.Itoa(port), "DATA_DIR=" + filepath.Join(shared.folder(b), "data"), "LOG_LEVEL=" + os.Getenv("LOG_LEVEL"),
		"DB_HOST=" + db.Host, "DB_PORT=" + strconv.Itoa(db.Port), "DB_USERNAME=" + db.Username, "DB_PASSWORD=" + db.Password,
		"DB_DATABASE=" + db.Database, "DB_SSLMODE=" + db.SSLMode,
		"JWT_SECRET_KEY=benchmarks-only-benchmarks-only-benchmarks-only", "ACCESS_TOKEN_EXPIRE_MINUTES=600",
		"ADMIN_PASSWORD=" + adminPassword,
	}, settings...)
	binary, log := shared.program(b), filepath.Join(shared.folder(b), db.Database+".log")
	began := time.Now()
	p := &program{child: spawn(b, log, environment, binary, arguments...), address: "127.0.0.1:" + strconv.Itoa(port)}
	p.awaitReady(b, began)
	return p
}

// runProgram is startProgram with a program that is stopped when the benchmark ends.
func runProgram(b testing.TB, db config.DB, settings ...string) *program {
	b.Helper()
	p := startProgram(b, db, settings...)
	b.Cleanup(p.stop)
	return p
}

func (p *program) awaitReady(b testing.TB, began time.Time) {
	b.Helper()
	request := []byte("GET /readyz HTTP/1.1\r\nHost: bench\r\n\r\n")
	for time.Since(began) < patience {
		select {
		case <-p.ended:
			require.FailNow(b, "the program ended", p.logTail())
		case <-time.After(time.Millisecond):
		}
		c, err := dial(p.address)
		if err != nil {
			continue
		}
		answer, err := c.do(request)
		c.close()
		if err == nil && answer.status == http.StatusOK {
			p.ready = time.Since(began)
			return
		}
	}
	p.stop()
	require.FailNow(b, "the program does not become ready", p.logTail())
}

func (p *program) logTail() string {
	text, _ := os.ReadFile(p.log)
	return string(text[max(0, len(text)-4096):])
}

// login makes a token that requests carry from now on.
func (p *program) login(b testing.TB) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	form := url.Values{"username": {"admin"}, "password": {adminPassword}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.address+"/api/auth/token", strings.NewReader(form))
	require.NoError(b, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	require.NoError(b, err)
	defer res.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	require.NoError(b, json.NewDecoder(res.Body).Decode(&answer))
	require.NotEmpty(b, answer.Token, res.Status)
	p.token = answer.Token
}

// get returns the bytes of a GET request.
func (p *program) get(path string, query url.Values) []byte {
	return fmt.Appendf(nil, "GET %s?%s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n", path, query.Encode(), p.token)
}

// post returns the bytes of a POST of JSON readings, and where its body begins.
func (p *program) post(body []byte) (request []byte, at int) {
	request = fmt.Appendf(nil, "POST /api/readings HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", p.token, len(body))
	return append(request, body...), len(request)
}

// client opens a connection to the program that is closed when the benchmark ends.
func (p *program) client(b testing.TB) *client {
	b.Helper()
	c, err := dial(p.address)
	require.NoError(b, err)
	b.Cleanup(c.close)
	return c
}

// ask makes one request on a connection of its own and returns the answer's body.
func (p *program) ask(b testing.TB, request []byte) []byte {
	b.Helper()
	c, err := dial(p.address)
	require.NoError(b, err)
	defer c.close()
	c.keep = true
	answer, err := c.do(request)
	require.NoError(b, err)
	require.Equal(b, http.StatusOK, answer.status, string(c.body))
	return bytes.Clone(c.body)
}
