package readings_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/authtest"
	"telltale/modules/readings"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/deletion"
	"telltale/modules/readings/fold"
	"telltale/modules/readings/history"
	"telltale/modules/readings/readingstest"
	"telltale/platform/fault"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

// instants returns when the device's readings of metric m are from, asked for in a way of which there are several.
func (a *api) instants(t *testing.T, device string) (all [][]float64) {
	t.Helper()
	return a.Answer(t, history.Query{Selection: history.Selection{Devices: []string{device}, Metrics: []string{"m"}}}).Rows[device+"/m"]
}

func TestDeletion_TakesWhatIsMeantAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, fold := range map[string]bool{"from the log": false, "from chunks": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			readingstest.CountStamps(t, db)
			e := startEngine(t, db)
			other := startEngine(t, db)
			a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
			for _, device := range []string{"a", "b"} {
				e.Post(t, `{"readings":[{"device":%[1]q,"ts":100000000000,"values":{"m":1,"n":1}},{"device":%[1]q,"ts":100000001000,"values":{"m":2,"n":2}},
					{"device":%[1]q,"ts":100003600000,"values":{"m":3}},{"device":%[1]q,"ts":100090000000,"values":{"m":4}}]}`, device)
			}
			e.Post(t, `{"readings":[{"device":"a","ts":100000001000,"values":{"m":2.5}}]}`)
			if fold {
				e.FoldAll(t)
			}
			const page = "/api/readings?device=a&from=0&to=200000000000"
			_, header, _ := a.call(t, "GET", page, "", nil)
			version := header.Get("ETag")
			require.NotEmpty(t, version)

			status, _, answer := a.call(t, "DELETE", "/api/readings?device=a&metric=m,unknown&from=100000001000&to=100003600001", "", nil)
			require.Equal(t, 200, status, answer)
			require.JSONEq(t, `{"deleted":2,"seq":4}`, answer)
			want := [][]float64{{100000000000, 1}, {100090000000, 4}}
			for range 2 {
				require.Equal(t, want, a.instants(t, "a"))
				require.Equal(t, want, other.Answer(t, history.Query{}).Rows["a/m"])
				require.Equal(t, [][]float64{{100000000000, 1}, {100000001000, 2}}, other.Answer(t, history.Query{}).Rows["a/n"])
				require.Len(t, a.instants(t, "b"), 4)
				status, _, answer = a.call(t, "GET", page, "", nil, "If-None-Match", version)
				require.Equal(t, 200, status)
				require.NotContains(t, answer, "100003600000")
				_, _, answer = a.call(t, "GET", page+"&metric=m&interval=1d&agg=count&agg=max", "", nil)
				require.Contains(t, answer, `"points":[[99964800000,1,1],[100051200000,1,4]]`)
				e.FoldAll(t)
			}
			var left int
			require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM readings('{a}', '{m}', NULL, NULL)`).Scan(&left))
			require.Equal(t, 2, left)

			// What comes after the deletion stays, also if it is of the same range.
			e.Post(t, `{"readings":[{"device":"a","ts":100000001000,"values":{"m":9}}]}`)
			e.FoldAll(t)
			require.Equal(t, [][]float64{{100000000000, 1}, {100000001000, 9}, {100090000000, 4}}, a.instants(t, "a"))
		})
	}
}

func TestDeletion_LeavesTheNewestReadingThatThereIs(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	other := startEngine(t, db)
	for i := range 5 {
		e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":%d}}]}`, 100_000_000_000+int64(i)*40*chunk.Day, i)
		if i < 4 {
			e.FoldAll(t)
		}
	}
	newest := func(e *engine) (all []float64) {
		require.NoError(t, e.Tail.Reach(t.Context()))
		states, err := e.Queries.Latest(t.Context(), everyone, history.Selection{})
		require.NoError(t, err)
		for _, s := range states {
			all = append(all, s.LastValue)
		}
		return all
	}
	for left := 4; left >= 0; left-- {
		from := 100_000_000_000 + int64(left)*40*chunk.Day
		// Half of the deletions are only in the log while the next ones come.
		if wish := (deletion.Request{Devices: []string{"a"}, From: from, To: from + 1}); left%2 == 0 {
			_, _, err := e.Mark(t.Context(), wish)
			require.NoError(t, err)
		} else {
			removed, err := e.Delete(t.Context(), everyone, wish)
			require.NoError(t, err)
			require.EqualValues(t, 1, removed.Readings)
		}
		third, stop := newEngine(t, db)
		for _, e := range []*engine{e, other, third} {
			if left == 0 {
				require.Empty(t, newest(e))
			} else {
				require.Equal(t, []float64{float64(left - 1)}, newest(e))
			}
		}
		stop()
	}
	e.FoldAll(t)
	var none bool
	require.NoError(t, db.QueryRow(t.Context(), `SELECT last_ts IS NULL FROM series`).Scan(&none))
	require.True(t, none)
}

func TestDeletion_RefusesWhatIsNotExplicit(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.Post(t, `{"readings":[{"device":"a","ts":100000000000,"values":{"m":1}}]}`)
	var many strings.Builder
	for i := range readings.MaxDeletedDevices + 1 {
		fmt.Fprint(&many, "&device=d", i)
	}
	for query, field := range map[string]string{
		"":                                        "device",
		"device=a":                                "from",
		"device=a&from=-1h":                       "to",
		"device=a&to=now":                         "from",
		"from=0&to=now":                           "device",
		"device=&from=0&to=now":                   "device",
		"device=a*&from=0&to=now":                 "device",
		"device=a&device=?&from=0&to=now":         "device",
		"device=[a]&from=0&to=now":                "device",
		"device=a b&from=0&to=now":                "device",
		"tag=roof&from=0&to=now":                  "tag",
		"device=a&tag=roof&from=0&to=now":         "tag",
		"device=a&from=0&to=now&interval=1h":      "interval",
		"device=a&from=0&to=now&dry_run=true":     "dry_run",
		"device=a&from=yesterday&to=now":          "from",
		"device=a&from=&to=now":                   "from",
		"device=a&from=now&to=now":                "from",
		"device=a&from=now&to=0":                  "to",
		"device=a&from=0&from=1&to=now":           "from",
		"from=0&to=now" + many.String():           "device",
		"device=a&metric=&from=0&to=now":          "metric",
		"device=a&from=0&to=99999999999999999999": "to",
	} {
		status, _, answer := a.call(t, "DELETE", "/api/readings?"+strings.ReplaceAll(query, " ", "%20"), "", nil)
		require.Equal(t, 422, status, "%s: %s", query, answer)
		var problem struct{ Errors []struct{ Field string } }
		require.NoError(t, json.Unmarshal([]byte(answer), &problem))
		var fields []string
		for _, e := range problem.Errors {
			fields = append(fields, e.Field)
		}
		require.Contains(t, fields, field, query)
	}
	require.Len(t, a.instants(t, "a"), 1)
	require.EqualValues(t, 1, a.Window.Head(), "nothing was appended")
}

func TestDeletion_IsOnlyForWhomItIsFor(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	readingstest.CountStamps(t, db)
	e := startEngine(t, db)
	e.Post(t, `{"readings":[{"device":"a1","ts":100000000000,"values":{"m":1}},{"device":"b","ts":100000000000,"values":{"m":1}}]}`)
	as := func(devices []string, scopes ...access.Scope) *api {
		who := access.Principal{Subject: "test", Scopes: scopes, Devices: devices}
		return &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(who), 1<<20))}
	}
	narrow := as([]string{"a*"}, access.ReadingsDelete)
	writer := as(nil, access.ReadingsRead, access.ReadingsWrite, access.DevicesRead, access.DevicesWrite)
	for _, c := range []struct {
		by     *api
		device string
		status int
	}{
		{writer, "a1", http.StatusForbidden},
		{narrow, "b", http.StatusForbidden},
		{narrow, "a1&device=b", http.StatusForbidden},
		{narrow, "nobody", http.StatusForbidden}, // as b: whether it exists is not told
		{narrow, "a2", http.StatusNotFound},
		{narrow, "a1&device=a2", http.StatusNotFound},
		{as([]string{}, access.Admin), "a1", http.StatusForbidden},
	} {
		status, _, answer := c.by.call(t, "DELETE", "/api/readings?from=0&to=now&device="+c.device, "", nil)
		require.Equal(t, c.status, status, answer)
		require.Len(t, c.by.instants(t, "a1"), 1)
		require.Len(t, c.by.instants(t, "b"), 1)
	}
	status, _, answer := narrow.call(t, "DELETE", "/api/readings?from=0&to=now&device=a1&metric=other", "", nil)
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"deleted":0,"seq":1}`, answer)
	status, _, answer = narrow.call(t, "DELETE", "/api/readings?from=0&to=now&device=a1", "", nil)
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"deleted":1,"seq":2}`, answer)
	status, _, answer = as(nil, access.Admin).call(t, "DELETE", "/api/readings?from=0&to=now&device=a1&device=b", "", nil)
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"deleted":1,"seq":3}`, answer)
}

func TestDeletion_HoldsOnlyAsManySeriesAsACallMay(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	e.Post(t, `{"readings":[{"device":"a","ts":100000000000,"values":{"m":1}}]}`)
	_, err := db.Exec(t.Context(), `INSERT INTO series (device_id, metric) SELECT 'a', 'x' || n FROM generate_series(1, $1) AS n`, 10_000)
	require.NoError(t, err)
	_, err = e.Delete(t.Context(), everyone, deletion.Request{Devices: []string{"a"}, From: 0, To: 1 << 40})
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	state, err := e.Log.State(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, state.Head)
	removed, err := e.Delete(t.Context(), everyone, deletion.Request{Devices: []string{"a"}, Metrics: []string{"m"}, From: 0, To: 1 << 40})
	require.NoError(t, err)
	require.EqualValues(t, 1, removed.Readings)
}

// An instance that dies after the log has the deletion leaves nothing half done: answers are without the readings, and the
// background of another one carries the deletion out.
func TestDeletion_SurvivesItsInstance(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e, die := newEngine(t, db)
	e.Post(t, `{"readings":[{"device":"a","ts":100000000000,"values":{"m":1}},{"device":"a","ts":100000000001,"values":{"m":2}}]}`)
	e.FoldAll(t)
	_, _, err := e.Mark(t.Context(), deletion.Request{Devices: []string{"a"}, From: 100000000001, To: 100000000002})
	require.NoError(t, err)
	e.Post(t, `{"readings":[{"device":"a","ts":100000000001,"values":{"m":3}}]}`)
	_, _, err = e.Mark(t.Context(), deletion.Request{Devices: []string{"a"}, From: 100000000000, To: 100000000001})
	require.NoError(t, err)
	die()

	next := startEngine(t, db, func(l *config.Readings) { l.FoldReadings = 1 << 30 })
	want := [][]float64{{100000000001, 3}}
	require.Equal(t, want, next.Answer(t, history.Query{}).Rows["a/m"])
	require.NoError(t, next.Runner.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, next.Runner.Stop(t.Context())) })
	require.Eventually(t, func() bool {
		var values []float64
		require.NoError(t, db.QueryRow(t.Context(), `SELECT array_agg(value) FROM readings(NULL, NULL, NULL, NULL)`).Scan(&values))
		return len(values) == 1 && values[0] == 3
	}, time.Minute, 10*time.Millisecond)
	require.Equal(t, want, next.Answer(t, history.Query{}).Rows["a/m"])
}

// While another instance folds for long, the deletion counts already, ingest goes on, and the answer does not wait for ever.
func TestDeletion_WaitsForNoFold(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	readingstest.CountStamps(t, db)
	// Long enough for a busy machine to follow the log in, after which the fold is waited for.
	e := startEngine(t, db, func(l *config.Readings) { l.QueryTimeout = 3 * time.Second })
	a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
	a.Post(t, `{"readings":[{"device":"a","ts":100000000000,"values":{"m":1}}]}`)
	e.FoldAll(t)
	require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, int64(foldLockKey))
		require.NoError(t, err)
		status, _, answer := a.call(t, "DELETE", "/api/readings?from=0&to=now&device=a", "", nil)
		require.Equal(t, 202, status, answer)
		require.JSONEq(t, `{"seq":2}`, answer)
		e.UseTimeout(time.Minute)
		require.Empty(t, a.instants(t, "a"))
		a.Post(t, `{"readings":[{"device":"a","ts":100000000000,"values":{"m":2}}]}`)
		require.Equal(t, [][]float64{{100000000000, 2}}, a.instants(t, "a"))
		return nil
	}))
	require.Positive(t, e.Window.Stats().Masked)
	e.FoldAll(t)
	require.Zero(t, e.Window.Stats().Masked)
	require.Equal(t, [][]float64{{100000000000, 2}}, a.instants(t, "a"))
}

func TestDeletion_GivesDiskBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
	for device := range 40 {
		a.fill(t, fmt.Sprint("d", device), 7200, 1000)
	}
	var before, after int64
	const size = `SELECT pg_total_relation_size('reading_chunks_1970_01')`
	require.NoError(t, db.QueryRow(t.Context(), size).Scan(&before))
	wish := deletion.Request{From: -1, To: 1 << 40}
	for device := range 39 {
		wish.Devices = append(wish.Devices, fmt.Sprint("d", device))
	}
	removed, err := e.Delete(t.Context(), everyone, wish)
	require.NoError(t, err)
	require.EqualValues(t, 39*7200, removed.Readings)
	_, err = e.Fold(t.Context())
	require.NoError(t, err)
	require.NoError(t, db.QueryRow(t.Context(), size).Scan(&after))
	require.Less(t, after, before/2)
	require.Len(t, a.instants(t, "d39"), 7200)
}

// Both ends of a deletion are in a day that is left with little: it becomes one chunk, once.
func TestDeletion_WithinADayThatIsOverLeavesOneChunk(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	e.FoldWith(func(p *fold.Parts) { p.Pack = 4 })
	a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
	day := time.Date(2023, 3, 5, 0, 0, 0, 0, time.UTC).UnixMilli()
	for hour := range int64(6) {
		e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, day+(3+hour)*chunk.Hour)
	}
	e.FoldAll(t)
	removed, err := e.Delete(t.Context(), everyone, deletion.Request{Devices: []string{"a"}, From: day + 5*chunk.Hour, To: day + 8*chunk.Hour})
	require.NoError(t, err)
	require.EqualValues(t, 3, removed.Readings)
	require.Len(t, a.instants(t, "a"), 3)
	var chunks int
	require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM reading_chunks`).Scan(&chunks))
	require.Equal(t, 1, chunks)
}
