//go:build e2e

package acceptance

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// follower is a real client of the stream.
type follower interface {
	// wait returns the events received, once there are n of them.
	wait(t testing.TB, n int) []event
}

// requireProgram fails unless one of the programs is installed.
func requireProgram(t testing.TB, debian string, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			return
		}
	}
	require.FailNow(t, "a program is missing", "none of %q is on PATH; install one (Debian: apt-get install %s)", names, debian)
}

// post stores one reading of each instant from first to last ms after instantZero.
func (p *program) post(first, last int) {
	p.t.Helper()
	for ts := first; ts <= last; ts++ {
		p.call("POST", "/api/readings", "application/json", fmt.Sprintf(`{"readings":[{"device":"a","ts":%d,"values":{"m":%d}}]}`, instantZero+ts, ts), nil)
	}
}

// requireWholeThroughRestarts checks that the follower, whose stream is open, receives each reading once and in order while
// the server is stopped, killed and started again.
func requireWholeThroughRestarts(t *testing.T, p *program, f follower, settings ...string) {
	t.Helper()
	p.post(1, 20)
	requireInstants(t, f.wait(t, 20), 1, 20)
	require.Zero(t, p.stop(), p.log)
	p.start(settings...)
	p.post(21, 40) // before it is back
	requireInstants(t, f.wait(t, 40), 1, 40)
	p.post(41, 50)
	p.kill() // before all of them have come
	p.start(settings...)
	p.post(51, 60)
	requireInstants(t, f.wait(t, 60), 1, 60)
}

// page is a follower that uses a browser's own EventSource.
type page struct {
	t   *testing.T
	tab *tab
}

func (v page) wait(_ testing.TB, n int) []event {
	v.t.Helper()
	v.tab.await(v.t, fmt.Sprintf("received.length >= %d", n))
	return evaluate[[]event](v.t, v.tab, "received")
}

// site serves the page of a viewer. Its origin is not the API's.
func site(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	t.Cleanup(server.Close)
	return server
}

func TestE2EBrowser_FollowsWithATokenInTheQuery(t *testing.T) {
	t.Parallel()
	site := site(t)
	allowed := "ALLOWED_ORIGINS=" + site.URL
	p := start(t, pgtest.Config(t), allowed)
	b := browse(t)
	b.open(t, site.URL+"/viewer.html")
	address := p.url + "/api/stream?device=a&access_token=" + url.QueryEscape(p.token)
	evaluate[any](t, b, fmt.Sprintf("follow(%q), 0", address))
	b.await(t, "opened > 0")
	requireWholeThroughRestarts(t, p, page{t, b}, allowed)
}

func TestE2EBrowser_FollowsWithTheSessionCookie(t *testing.T) {
	t.Parallel()
	site := site(t)
	allowed := "ALLOWED_ORIGINS=" + site.URL
	p := start(t, pgtest.Config(t), allowed)
	b := browse(t)
	b.open(t, site.URL+"/viewer.html")
	status := evaluate[int](t, b, fmt.Sprintf("logIn(%q, 'admin', %q)", p.url, adminPassword))
	require.Equal(t, http.StatusOK, status)
	evaluate[any](t, b, fmt.Sprintf("follow(%q, {withCredentials: true}), 0", p.url+"/api/stream"))
	b.await(t, "opened > 0")
	requireWholeThroughRestarts(t, p, page{t, b}, allowed)
}

// An origin that is not allowed gets neither a token's stream nor the cookie's.
func TestE2EBrowser_RefusesAForeignPageTheStream(t *testing.T) {
	t.Parallel()
	site := site(t)
	p := start(t, pgtest.Config(t), "ALLOWED_ORIGINS=https://dashboard.example")
	b := browse(t)
	b.open(t, site.URL+"/viewer.html")
	evaluate[any](t, b, fmt.Sprintf("follow(%q), 0", p.url+"/api/stream?access_token="+url.QueryEscape(p.token)))
	b.await(t, "refused > 0")
	require.Zero(t, evaluate[int](t, b, "opened"))
}

// run starts a program whose output is a stream, and reads that as a viewer. It is killed at the end of the test if it
// still runs then.
func run(t *testing.T, command *exec.Cmd) *viewer {
	t.Helper()
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	v := newViewer(func() { _ = command.Process.Kill() }) // which fails for a process that has ended
	v.done.Go(func() {
		v.read(output)
		_ = command.Wait() // its exit code can be asked for
	})
	t.Cleanup(v.stop)
	return v
}

// node returns a Node.js that runs the script of testdata, with the packages from npm installed, in a folder of its own.
func node(t testing.TB, name string, npmPackages ...string) *exec.Cmd {
	t.Helper()
	requireProgram(t, "nodejs", "node")
	requireProgram(t, "npm", "npm")
	dir := t.TempDir()
	options := []string{"install", "--fetch-retries=5", "--no-audit", "--no-fund", "--ignore-scripts"}
	install := exec.CommandContext(t.Context(), "npm", append(options, npmPackages...)...)
	install.Dir = dir
	out, err := install.CombinedOutput()
	require.NoError(t, err, "%s", out)
	script, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), script, 0o600))
	command := exec.CommandContext(t.Context(), "node", name)
	command.Dir = dir
	return command
}

func TestE2ENode_PackageEventsourceFollows(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	first := node(t, "viewer.mjs", "eventsource@3.0.7")
	follow := func(query string) *viewer {
		command := exec.CommandContext(t.Context(), first.Path, first.Args[1:]...)
		command.Dir = first.Dir
		command.Env = append(os.Environ(), "URL="+p.url+"/api/stream?"+query, "TOKEN="+p.token)
		return run(t, command)
	}
	requireWholeThroughRestarts(t, p, follow("device=a&since=0"))

	at := time.Now().Truncate(time.Second)
	p.postAt(at, "20")
	v := follow("device=a&interval=1s&agg=avg,max&since=-1m")
	p.requireBucket(v.wait(t, 1)[0], at, `{"avg":20,"max":20}`)
	require.Zero(t, p.stop(), p.log)
	p.start()
	p.postAt(at.Add(500*time.Millisecond), "21.5")
	p.requireBucket(v.wait(t, 2)[1], at, `{"avg":20.75,"max":21.5}`)
}

// Each sends where it was in its own way: in the header, in a parameter of its own name, or in both, of which one is older.
func TestE2ENode_StandInsForEventSourceFollow(t *testing.T) {
	t.Parallel()
	first := node(t, "standin.mjs", "event-source-polyfill@1.0.31", "reconnecting-eventsource@1.6.5", "@microsoft/fetch-event-source@2.0.1", "eventsource@3.0.7")
	for _, name := range []string{
		"event-source-polyfill", "event-source-polyfill by last_event_id", "reconnecting-eventsource", "@microsoft/fetch-event-source",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, pgtest.Config(t))
			command := exec.CommandContext(t.Context(), first.Path, first.Args[1:]...)
			command.Dir = first.Dir
			command.Env = append(os.Environ(), "URL="+p.url+"/api/stream?device=a&since=0&_=1&r=0.5", "TOKEN="+p.token, "STANDIN="+name)
			requireWholeThroughRestarts(t, p, run(t, command))
		})
	}
}

func TestE2ECurl_Follows(t *testing.T) {
	t.Parallel()
	requireProgram(t, "curl", "curl")
	p := start(t, pgtest.Config(t))
	curl := func(since string) (*exec.Cmd, *viewer) {
		command := exec.CommandContext(t.Context(), "curl", "--silent", "--show-error", "--no-buffer", "--fail",
			"--header", "Authorization: Bearer "+p.token, "--header", "Last-Event-ID: "+since, p.url+"/api/stream")
		return command, run(t, command)
	}
	command, v := curl("0")
	p.post(1, 20)
	requireInstants(t, v.wait(t, 20), 1, 20)
	require.Zero(t, p.stop(), p.log)
	v.done.Wait()
	require.Zero(t, command.ProcessState.ExitCode(), "a stream that the server ends is whole for curl")
	p.start()
	p.post(21, 40)
	_, v = curl(v.position())
	p.post(41, 50)
	requireInstants(t, v.wait(t, 30), 21, 50)
}

func TestE2ECurl_FollowsBuckets(t *testing.T) {
	t.Parallel()
	requireProgram(t, "curl", "curl")
	p := start(t, pgtest.Config(t))
	at := time.Now().Truncate(time.Second)
	p.postAt(at, "20")
	v := run(t, exec.CommandContext(t.Context(), "curl", "--silent", "--show-error", "--no-buffer", "--fail",
		"--header", "Authorization: Bearer "+p.token, p.url+"/api/stream?interval=1s&agg=avg,max&since=-1m&filter="+p.saveFilter(`{"device":"a"}`)))
	p.requireBucket(v.wait(t, 1)[0], at, `{"avg":20,"max":20}`)
	p.postAt(at.Add(500*time.Millisecond), "21.5")
	p.requireBucket(v.wait(t, 2)[1], at, `{"avg":20.75,"max":21.5}`)
}
