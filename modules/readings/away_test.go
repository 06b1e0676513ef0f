package readings_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth/authtest"
	"telltale/modules/readings"
	"telltale/platform/fault"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

// withinLimit is how long a test waits for an answer, which comes within seconds or never.
const withinLimit = time.Minute

// fallible is an api whose database can be made to fail beneath it.
type fallible struct {
	*api
	wire  *pgtest.Wire
	admin *pgx.Conn // does not go over the wire
}

func startInstance(t *testing.T) *fallible {
	t.Helper()
	direct := pgtest.Config(t)
	wire, cfg := pgtest.OverWire(t, direct)
	cfg.ConnectionTimeout, cfg.StatementTimeout = time.Second, 2*time.Second
	e := startEngine(t, pgtest.Open(t, cfg))
	e.UseTimeout(2 * time.Second)
	a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
	return &fallible{a, wire, pgtest.Connect(t, direct)}
}

// holding has what a statement of the administrator locks held until the function that it returns is called.
func (i *fallible) holding(t *testing.T, statement string) (release func()) {
	tx, err := i.admin.Begin(context.Background())
	require.NoError(t, err)
	_, err = tx.Exec(context.Background(), statement)
	require.NoError(t, err)
	return func() { require.NoError(t, tx.Rollback(context.Background())) }
}

func (i *fallible) setReadOnly(t *testing.T, value string) {
	ctx := context.Background()
	for _, statement := range []string{
		`SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE`,
		`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = ` + value + `', current_database()); END $$`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
	} {
		_, err := i.admin.Exec(ctx, statement)
		require.NoError(t, err)
	}
}

// The ways of an instance to lose its database, each with what undoes it.
var outages = map[string]func(*testing.T, *fallible) (undo func()){
	"a silent server": func(_ *testing.T, i *fallible) func() {
		i.wire.Hush(pgtest.BothWays)
		return i.wire.Speak
	},
	"a server that hears and says nothing": func(_ *testing.T, i *fallible) func() {
		i.wire.Hush(pgtest.ToClient)
		return i.wire.Speak
	},
	"a log that is locked": func(t *testing.T, i *fallible) func() {
		return i.holding(t, `LOCK TABLE reading_log IN ACCESS EXCLUSIVE MODE`)
	},
	"a log that is locked against appends": func(t *testing.T, i *fallible) func() {
		return i.holding(t, `LOCK TABLE reading_log IN SHARE MODE`)
	},
	"an append that does not end": func(t *testing.T, i *fallible) func() {
		return i.holding(t, `SELECT pg_advisory_xact_lock(127978959536129)`)
	},
	"a state that is locked": func(t *testing.T, i *fallible) func() {
		return i.holding(t, `LOCK TABLE log_state IN ACCESS EXCLUSIVE MODE`)
	},
	"a database that is read-only": func(t *testing.T, i *fallible) func() {
		i.setReadOnly(t, "on")
		return func() { i.setReadOnly(t, "off") }
	},
}

// ready says whether the instance is, as /readyz does.
func (i *fallible) ready() error {
	if _, err := i.DB.Probe().Check(); err != nil {
		return err
	}
	_, err := i.Probe().Check()
	return err
}

func TestOutage_IsAnsweredWithinLimitsToldAndOver(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 127978959536129, int64(0x74656c6c_0001))
	for name, begin := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := startInstance(t)
			i.Post(t, `{"readings":[{"device":"a","ts":1793491200000,"values":{"m":1}}]}`)
			undo := begin(t, i)
			require.Eventually(t, func() bool { return i.ready() != nil }, withinLimit, 10*time.Millisecond)
			require.Equal(t, fault.Unavailable, fault.KindOf(i.ready()), "%v", i.ready())

			i.refuses(t, "POST", "/api/readings", `{"readings":[{"device":"a","ts":1793491201000,"values":{"m":2}}]}`)
			i.refuses(t, "POST", "/api/readings", `{"readings":[{"device":"new","ts":1793491201000,"values":{"m":2}}]}`)
			i.answers(t, "GET", "/api/readings?device=a&from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z")
			i.answers(t, "GET", "/api/readings/latest?device=a")
			i.refuses(t, "POST", "/api/readings/fold", "")

			undo()
			require.Eventually(t, func() bool { return i.ready() == nil }, withinLimit, 10*time.Millisecond)
			require.Eventually(t, func() bool {
				status, _, _ := i.within(t, "POST", "/api/readings", `{"readings":[{"device":"new","ts":1793491202000,"values":{"m":3}}]}`)
				return status == 200
			}, withinLimit, 10*time.Millisecond)
			status, _, answer := i.within(t, "GET", "/api/readings?device=a&device=new&from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z", "")
			require.Equal(t, 200, status)
			require.Contains(t, answer, "[1793491200000,1]")
			require.Contains(t, answer, "[1793491202000,3]")
			status, _, answer = i.within(t, "POST", "/api/readings/fold", "")
			require.Equal(t, 200, status, answer)
		})
	}
}

// refuses requires a 503 that says when to come back.
func (i *fallible) refuses(t *testing.T, method, path, body string) {
	t.Helper()
	status, header, answer := i.within(t, method, path, body)
	if status == 200 && strings.HasSuffix(path, "/fold") {
		return // nothing had to be written
	}
	require.Equal(t, http.StatusServiceUnavailable, status, "%s %s: %s", method, path, answer)
	require.NotEmpty(t, header.Get("Retry-After"))
}

// answers requires a 503 that says when to come back, or what can be answered all the same.
func (i *fallible) answers(t *testing.T, method, path string) {
	t.Helper()
	status, header, answer := i.within(t, method, path, "")
	if status != 200 {
		require.Equal(t, http.StatusServiceUnavailable, status, "%s %s: %s", method, path, answer)
		require.NotEmpty(t, header.Get("Retry-After"))
	}
}

func (i *fallible) within(t *testing.T, method, path, body string) (status int, header http.Header, answer string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), withinLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, i.url+path, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	return i.send(t, request)
}
