package acceptance

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// soon is how long a test waits for what comes within seconds or never.
const soon = time.Minute

// losing is what can be done to a program's database.
type losing struct {
	*program
	wire  *pgtest.Wire
	admin *pgx.Conn // not over the wire
}

// hold has what a statement locks held until the function that it returns is called.
func (l *losing) hold(statement string) (release func()) {
	tx, err := l.admin.Begin(context.Background())
	require.NoError(l.t, err)
	_, err = tx.Exec(context.Background(), statement)
	require.NoError(l.t, err)
	return func() { require.NoError(l.t, tx.Rollback(context.Background())) }
}

// readOnly says whether new transactions of the database may not write, and ends the connections that there are.
func (l *losing) readOnly(value string) {
	for _, statement := range []string{
		`SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE`,
		`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = ` + value + `', current_database()); END $$`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
	} {
		_, err := l.admin.Exec(context.Background(), statement)
		require.NoError(l.t, err)
	}
}

// losses are the ways to lose a database, each with what undoes it.
var losses = map[string]func(l *losing) (undo func()){
	"a silent server": func(l *losing) func() {
		l.wire.Hush(pgtest.BothWays)
		return l.wire.Speak
	},
	"a server that is cut off": func(l *losing) func() {
		l.wire.Hush(pgtest.BothWays)
		l.wire.Cut()
		return l.wire.Speak
	},
	"users and devices that are locked": func(l *losing) func() {
		return l.hold(`LOCK TABLE users, api_keys, devices, series, reading_log IN ACCESS EXCLUSIVE MODE`)
	},
	"a database that is read-only": func(l *losing) func() {
		l.readOnly("on")
		return func() { l.readOnly("off") }
	},
}

// What the program is asked while it has no database: each call is answered in time, by a 503 that says when to come back
// unless memory can answer.
var questions = []struct{ method, path, contentType, body string }{
	{"POST", "/api/auth/token", "application/x-www-form-urlencoded", url.Values{"username": {"admin"}, "password": {adminPassword}}.Encode()},
	{"GET", "/api/auth/me", "", ""},
	{"GET", "/api/auth/users", "", ""},
	{"GET", "/api/auth/keys", "", ""},
	{"POST", "/api/auth/keys", "application/json", `{"name":"n","scopes":["readings:read"]}`},
	{"GET", "/api/devices", "", ""},
	{"GET", "/api/devices/a", "", ""},
	{"POST", "/api/devices", "application/json", `{"id":"fresh"}`},
	{"PATCH", "/api/devices/a", "application/json", `{"name":"A"}`},
	{"DELETE", "/api/devices/gone", "", ""},
	{"POST", "/api/readings", "application/json", `{"readings":[{"device":"a","ts":1793491201000,"values":{"m":2}}]}`},
	{"POST", "/api/readings", "application/json", `{"readings":[{"device":"new","ts":1793491201000,"values":{"m":2}}]}`},
	{"DELETE", "/api/readings?device=a&from=0&to=1793491200001", "", ""},
	{"POST", "/write?db=d", "text/plain", "m,host=a x=1 1793491200000000000"},
	{"GET", "/api/readings?device=a&from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z", "", ""},
	{"GET", "/api/readings/latest?tag=t", "", ""},
	{"GET", "/api/stream?tag=t", "", ""},
	{"GET", "/api/stream?snapshot=true", "", ""},
	{"GET", "/api/stream/filters", "", ""},
}

func TestOutage_OfTheDatabaseIsAnsweredInTimeToldAndOver(t *testing.T) {
	t.Parallel()
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := pgtest.Config(t)
			wire, cfg := pgtest.OverWire(t, direct)
			p := start(t, cfg, "DB_CONNECTION_TIMEOUT_SECS=1", "DB_STATEMENT_TIMEOUT_SECS=2", "QUERY_TIMEOUT_SECS=2")
			l := &losing{p, wire, pgtest.Connect(t, direct)}
			p.call("POST", "/api/readings", "application/json", `{"readings":[{"device":"a","ts":1793491200000,"values":{"m":1}}]}`, nil)

			undo := lose(l)
			require.Eventually(t, func() bool { return p.answers("/readyz") == http.StatusServiceUnavailable }, soon, 10*time.Millisecond)
			for _, q := range questions {
				l.answersInTime(q.method, q.path, q.contentType, q.body)
			}
			status, _, text := l.ask("GET", "/health", "", "")
			require.Equal(t, http.StatusServiceUnavailable, status)
			require.Contains(t, string(text), `"since":"`)
			undo()
			p.await("/readyz", http.StatusOK)
			p.call("POST", "/api/readings", "application/json", `{"readings":[{"device":"a","ts":1793491202000,"values":{"m":3}}]}`, nil)
			require.Subset(t, p.history("device=a")["a/m"], [][]float64{{1793491202000, 3}})

			lose(l) // for good
			require.Eventually(t, func() bool { return p.answers("/readyz") == http.StatusServiceUnavailable }, soon, 10*time.Millisecond)
			require.Zero(t, p.stop(), p.log)
		})
	}
}

// answersInTime requires a 503 that says when to come back, or what can be answered all the same.
func (l *losing) answersInTime(method, path, contentType, body string) {
	l.t.Helper()
	status, header, text := l.ask(method, path, contentType, body)
	if status >= 200 && status < 300 || status == http.StatusNotFound {
		return
	}
	require.Equal(l.t, http.StatusServiceUnavailable, status, "%s %s: %s", method, path, text)
	require.NotEmpty(l.t, header.Get("Retry-After"), "%s %s: %s", method, path, text)
}

// ask sends a request with the administrator's token and returns what is answered; of a stream, no more than its header.
func (l *losing) ask(method, path, contentType, body string) (status int, header http.Header, text []byte) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), soon)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, l.url+path, strings.NewReader(body))
	require.NoError(l.t, err)
	request.Header.Set("Authorization", "Bearer "+l.token)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(l.t, err, "%s %s", method, path)
	defer response.Body.Close()
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		return response.StatusCode, response.Header, nil
	}
	text, err = io.ReadAll(response.Body)
	require.NoError(l.t, err, "%s %s", method, path)
	return response.StatusCode, response.Header, text
}
