//go:build e2e

package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

// session is one bash in a folder of its own, as a reader of a page has it, and the server that the page has it start.
type session struct {
	t      *testing.T
	page   string
	dir    string
	port   string // in place of 8000
	web    string // in place of 3000
	fit    *strings.Replacer
	stdin  io.Writer
	stdout *bufio.Reader
	server string // what runs it, "" for none
	run    int    // snippets so far
	said   string // by the last one
}

const endOfSnippet = "--- the end of a snippet ---"

// newSession starts a bash with telltale and go on its path. Go works in the repository, and telltale in the session's folder.
func newSession(t *testing.T, page string, environment ...string) *session {
	t.Helper()
	for _, program := range []string{"bash", "curl", "psql", "python3"} {
		requireProgram(t, program, program)
	}
	dir, err := os.MkdirTemp("", "telltale-docs-") // the path of a socket is short
	require.NoError(t, err)
	s := &session{t: t, page: page, dir: dir}
	s.port, s.web = strconv.Itoa(httpservertest.Port(t)), strconv.Itoa(httpservertest.Port(t))
	s.replace()
	s.install()
	command := exec.CommandContext(t.Context(), "bash")
	command.Dir = dir
	command.Env = append([]string{
		"PATH=" + s.file("bin") + ":" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "CURL_HOME=" + dir,
		"PORT=" + s.port, "DATA_DIR=" + s.file("data"), "LOG_LEVEL=warn",
	}, append(goSettings(), environment...)...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.stdin, err = command.StdinPipe()
	require.NoError(t, err)
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	command.Stdout, command.Stderr = writer, writer
	require.NoError(t, command.Start())
	require.NoError(t, writer.Close())
	s.stdout = bufio.NewReader(reader)
	t.Cleanup(func() {
		s.stop()
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		_ = command.Wait() // fails for a process that was killed
		_ = reader.Close()
		_ = os.RemoveAll(dir)
	})
	s.say("set -euo pipefail")
	return s
}

// goSettings returns what the environment says about Go.
func goSettings() (settings []string) {
	for _, setting := range os.Environ() {
		if strings.HasPrefix(setting, "GO") {
			settings = append(settings, setting)
		}
	}
	return settings
}

func (s *session) file(name string) string { return filepath.Join(s.dir, name) }

// replace has what a page names for a reader's machine stand for what there is here.
func (s *session) replace(pairs ...string) {
	s.fit = strings.NewReplacer(append(pairs,
		"127.0.0.1:8000", "127.0.0.1:"+s.port, "localhost:8000", "localhost:"+s.port,
		"localhost:3000", "localhost:"+s.web, "http.server 3000", "http.server "+s.web)...)
}

// install puts into the session's folder what a reader has: the program, Go, the pages, and a curl that fails by its exit code.
func (s *session) install() {
	root, err := filepath.Abs("../..")
	require.NoError(s.t, err)
	golang, err := exec.LookPath("go")
	require.NoError(s.t, err)
	require.NoError(s.t, os.Mkdir(s.file("bin"), 0o755))
	require.NoError(s.t, os.Symlink(binary, s.file("bin/telltale")))
	require.NoError(s.t, os.Symlink(filepath.Join(root, "docs"), s.file("docs")))
	write := func(name, text string, mode os.FileMode) {
		require.NoError(s.t, os.WriteFile(s.file(name), []byte(text), mode))
	}
	write("bin/go", fmt.Sprintf("#!/bin/sh\ncommand=$1; shift\nexec %q \"$command\" -C %q \"$@\"\n", golang, root), 0o755)
	write(".curlrc", "fail-with-body\nsilent\nshow-error\n", 0o600)
}

// say has bash run the lines, and returns what they print.
func (s *session) say(lines string) string {
	s.t.Helper()
	_, err := fmt.Fprintf(s.stdin, "%s\necho; echo '%s'\n", lines, endOfSnippet)
	require.NoError(s.t, err)
	var text strings.Builder
	for {
		line, err := s.stdout.ReadString('\n')
		require.NoError(s.t, err, "%s: a snippet has failed:\n%s%s", s.page, text.String(), line)
		if strings.TrimSpace(line) == endOfSnippet {
			return strings.TrimSpace(text.String())
		}
		text.WriteString(line)
	}
}

// write writes the snippet to a file of the session and returns its name.
func (s *session) write(one snippet) string {
	s.run++
	name := s.file(fmt.Sprintf("snippet-%d", s.run))
	require.NoError(s.t, os.WriteFile(name, []byte(s.fit.Replace(one.text)), 0o600))
	return name
}

// background runs the snippet in the background and returns the name of the file with its output. Its process group is in the file
// name.pid.
func (s *session) background(name string) string {
	s.t.Helper()
	s.say(fmt.Sprintf("set -m; (. %[1]s) >%[1]s.out 2>&1 </dev/null & echo $! >%[1]s.pid; set +m", name))
	return name + ".out"
}

// end ends what runs in the background, and returns when it has.
func (s *session) end(name string) {
	text, err := os.ReadFile(name + ".pid")
	require.NoError(s.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(s.t, err)
	_ = syscall.Kill(-pid, syscall.SIGTERM) // fails when it has ended by itself
	require.Eventually(s.t, func() bool { return syscall.Kill(-pid, 0) != nil }, time.Minute, 10*time.Millisecond)
}

// serve starts the page's server, in place of the one before, and waits until it is ready.
func (s *session) serve(name string) {
	s.t.Helper()
	s.stop()
	output := s.background(name)
	s.server = name
	require.Eventually(s.t, func() bool {
		response, err := http.Get("http://127.0.0.1:" + s.port + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, 5*time.Minute, 20*time.Millisecond, "%s", contentOf(output))
}

func (s *session) stop() {
	if s.server != "" {
		s.end(s.server)
		s.server = ""
	}
}

// contentOf is read when it is printed.
type contentOf string

func (c contentOf) String() string {
	text, _ := os.ReadFile(string(c))
	return string(text)
}

// follow runs the snippet until its output matches the pattern.
func (s *session) follow(name string, pattern *regexp.Regexp) {
	s.t.Helper()
	output := s.background(name)
	require.Eventually(s.t, func() bool { return pattern.MatchString(contentOf(output).String()) }, time.Minute, 10*time.Millisecond,
		"%s: %s does not match\n%s", s.page, pattern, contentOf(output))
	s.end(name)
	s.said = contentOf(output).String()
}

// pattern returns what an answer that a page shows has to match: any number for a number, any space for a space, any text for an
// ellipsis.
func pattern(shown string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(strings.TrimSpace(shown))
	quoted = regexp.MustCompile(`[0-9]+(\\\.[0-9]+)?`).ReplaceAllString(quoted, `[0-9]+(\.[0-9]+)?`)
	quoted = regexp.MustCompile(`\s+`).ReplaceAllString(quoted, `\s*`)
	return regexp.MustCompile(`(?s)` + strings.ReplaceAll(quoted, "…", ".*"))
}

// do runs one snippet; next is the one that follows it on the page.
func (s *session) do(one, next snippet) {
	s.t.Helper()
	name := ""
	if one.language != "answer" {
		name = s.write(one)
	}
	switch kind := strings.TrimSpace(one.language + " " + one.mark); kind {
	case "sh":
		if commandsNotRun[strings.TrimSpace(one.text)] == "" {
			s.said = s.say(". " + name + " </dev/null")
		}
	case "sh fails":
		s.said = s.say("set +e; . " + name + " </dev/null; set -e")
	case "sh server":
		s.serve(name)
	case "sh serve":
		s.background(name)
		require.Eventually(s.t, func() bool {
			conn, err := net.Dial("tcp", "localhost:"+s.web)
			if err == nil {
				conn.Close()
			}
			return err == nil
		}, time.Minute, 10*time.Millisecond)
		s.t.Cleanup(func() { s.end(name) })
	case "sh follow":
		until := regexp.MustCompile(`\nevent: `)
		if next.language == "answer" {
			until = pattern(next.text)
		}
		s.follow(name, until)
	case "answer answer":
		require.Regexp(s.t, pattern(one.text), s.said, "%s:%d", s.page, one.line)
	case "python":
		s.said = s.say("python3 " + name)
	case "sql":
		s.said = s.say("psql -v ON_ERROR_STOP=1 -f " + name)
	case "js":
		s.script(one)
	case "html": // TestE2EDocs_ThePageJoinsHistoryAndStream
	default:
		require.Contains(s.t, notRun, one.language)
		require.Empty(s.t, one.mark, "%s:%d: no such mark", s.page, one.line)
	}
}

// script runs JavaScript in a page of the server, with KEY of the session as its token.
func (s *session) script(one snippet) {
	b := browse(s.t)
	b.open(s.t, "http://127.0.0.1:"+s.port+"/api/docs")
	opened := evaluate[bool](s.t, b, "(async () => { const token = '"+s.say("echo $KEY")+"'\n"+one.text+
		"\nreturn new Promise((done) => { stream.onopen = () => done(true); stream.onerror = () => done(false) }) })()")
	require.True(s.t, opened, "%s:%d", s.page, one.line)
}

// all runs every snippet of the page in order.
func (s *session) all() {
	s.t.Helper()
	page := snippets(s.t, s.page)
	if len(page) > 0 && page[0].mark != "server" {
		s.serve(s.write(snippet{text: "telltale"}))
	}
	for i, one := range page {
		next := snippet{}
		if i+1 < len(page) {
			next = page[i+1]
		}
		s.do(one, next)
	}
}

func TestE2EDocs_EachPageRunsAsPrinted(t *testing.T) {
	t.Parallel()
	for _, page := range docPages(t) {
		if page == "docs/operating.md" || page == "docs/live.md" || page == "docs/proxies.md" {
			continue // in tests of their own
		}
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			newSession(t, page).all()
		})
	}
}

func TestE2EDocs_Operating(t *testing.T) {
	t.Parallel()
	db := pgtest.Config(t)
	secrets := t.TempDir()
	for name, text := range map[string]string{"db": db.Password, "jwt": secretKey, "admin": adminPassword} {
		require.NoError(t, os.WriteFile(filepath.Join(secrets, name), []byte(text+"\n"), 0o600))
	}
	s := newSession(t, "docs/operating.md", "DB_PORT="+strconv.Itoa(db.Port))
	s.replace("DB_HOST=db.internal", "DB_HOST="+db.Host, "DB_USERNAME=telltale", "DB_USERNAME="+db.Username,
		"DB_DATABASE=telltale", "DB_DATABASE="+db.Database, "/run/secrets", secrets)
	page := snippets(t, s.page)
	s.do(page[0], page[1])
	s.say("export " + strings.Join(environment(db), " ") + " JWT_SECRET_KEY_FILE=" + secrets + "/jwt")
	for _, one := range page[1:] {
		s.do(one, snippet{})
	}
}

// environment returns the settings that name the database.
func environment(db config.DB) []string {
	return []string{
		"DB_HOST=" + db.Host, "DB_USERNAME=" + db.Username, "DB_PASSWORD='" + db.Password + "'", "DB_DATABASE=" + db.Database,
	}
}

// The page that docs/live.md shows draws each reading once: those of before it was opened, those that come while it is, and those of
// while the server was away, from another origin and with the session cookie.
func TestE2EDocs_ThePageJoinsHistoryAndStream(t *testing.T) {
	t.Parallel()
	s := newSession(t, "docs/live.md")
	s.all()
	posted := 1 // by the page's own snippets
	key := s.say("echo $KEY")
	post := func(n int) {
		t.Helper()
		for range n {
			posted++
			s.say(fmt.Sprintf(`curl http://127.0.0.1:%s/api/readings -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' `+
				`-d '{"readings":[{"device":"greenhouse-7","values":{"temperature":%d}}]}'`, s.port, key, posted))
		}
	}
	b := browse(t)
	awaitAll := func() {
		t.Helper()
		b.await(t, fmt.Sprintf("taken >= %d", posted))
		require.Equal(t, posted, evaluate[int](t, b, "taken"))
		require.Equal(t, posted, evaluate[int](t, b, "charts.get('greenhouse-7 temperature').points.size"))
		require.Contains(t, evaluate[string](t, b, "document.querySelector('figcaption').textContent"), fmt.Sprintf(": %d", posted))
	}
	post(5)
	b.open(t, fmt.Sprintf("http://localhost:%s/live.html?device=greenhouse-*&server=http://localhost:%s", s.web, s.port))
	b.await(t, "!document.querySelector('#login').hidden")
	password, err := os.ReadFile(s.file("data/admin-password"))
	require.NoError(t, err)
	require.NoError(t, b.do(
		chromedp.SendKeys(`[name=username]`, "admin"),
		chromedp.SendKeys(`[name=password]`, strings.TrimSpace(string(password))),
		chromedp.Click(`button`),
	))
	post(5) // while it loads
	awaitAll()
	post(5)
	awaitAll()
	server := s.server
	s.stop()
	s.serve(server)
	post(5)
	awaitAll()

	// The other name of this machine is another site, which gets no cookie.
	b.open(t, fmt.Sprintf("http://localhost:%s/live.html?server=http://127.0.0.1:%s", s.web, s.port))
	b.await(t, "!document.querySelector('#login').hidden")
}
