package readings_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// sqlZones are not whole hours from UTC, or change their clocks by half an hour or at midnight.
var sqlZones = []string{
	"UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Adelaide", "Australia/Eucla", "Australia/Lord_Howe",
	"Pacific/Chatham", "Europe/Berlin", "America/Santiago", "Etc/GMT+12", "Pacific/Kiritimati", "<+0520>-5:20",
}

// sqlSettings are other settings of a session that text, names and numbers are read and written by.
var sqlSettings = []string{
	"DateStyle = 'SQL, DMY'", "DateStyle = 'German'", "DateStyle = 'Postgres, MDY'", "IntervalStyle = sql_standard",
	"IntervalStyle = iso_8601", "extra_float_digits = -15", "extra_float_digits = 3", "standard_conforming_strings = off",
	"search_path = pg_catalog", "search_path = ''", "search_path = other, public", "search_path = other, pg_catalog, public",
	"plan_cache_mode = force_generic_plan", "transform_null_equals = on", "bytea_output = escape", "default_transaction_read_only = on",
	"default_transaction_isolation = serializable", "timezone_abbreviations = 'India'",
}

// Tables and functions that come first in search_path must not be taken for Telltale's.
const sqlShadows = `
CREATE SCHEMA other;
CREATE TABLE other.series (id int, device_id text, metric text);
CREATE TABLE other.devices (id text, retention_days int);
CREATE TABLE other.reading_chunks (series_id int, start_at timestamptz, hours smallint, data bytea);
CREATE TABLE other.log_state (folded_seq bigint, retention_days int);
CREATE FUNCTION other.now() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT 'epoch'::timestamptz $$;
CREATE FUNCTION other.date_trunc(text, timestamp) RETURNS timestamp LANGUAGE sql STABLE AS $$ SELECT 'epoch'::timestamp $$`

// sqlRow is a reading as SQL answers it.
type sqlRow struct {
	Device, Metric string
	TS             int64
	Value          float64
}

func sqlConnect(t *testing.T, cfg config.DB, settings ...string) *pgx.Conn {
	t.Helper()
	cc, err := postgres.ConnConfig(cfg)
	require.NoError(t, err)
	cc.AfterConnect = nil // a session of another program
	conn, err := pgx.ConnectConfig(t.Context(), cc)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	for _, setting := range settings {
		_, err := conn.Exec(t.Context(), "SET "+setting)
		require.NoError(t, err, setting)
	}
	return conn
}

func values(rows []sqlRow) (list []float64) {
	for _, row := range rows {
		list = append(list, row.Value)
	}
	return list
}

func sqlRows(t *testing.T, conn *pgx.Conn, query string, args ...any) []sqlRow {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT device, metric, (extract(epoch FROM ts) * 1000)::bigint, value FROM `+query+` ORDER BY 1, 2, 3`, args...)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sqlRow])
	require.NoError(t, err)
	return all
}

// sqlFixture stores readings in chunks of an hour, a day and a month, and in the log, around days on which clocks change, and
// returns from when on they are.
func sqlFixture(t *testing.T, e *engine) {
	t.Helper()
	now := time.Now().UnixMilli()
	for device, c := range map[string]struct{ start, step, count int64 }{
		"hours":  {1_792_800_000_000 /* 2026-10-24 */, chunk.Minute, 4320},
		"days":   {1_792_800_000_000, chunk.Hour, 72},
		"months": {1_774_569_600_000 /* 2026-03-27 */, 6 * chunk.Hour, 20},
		"recent": {now - 2*chunk.Hour, chunk.Minute, 100},
	} {
		var points chunk.Points
		for i := range c.count {
			points.TS, points.Value = append(points.TS, c.start+i*c.step), append(points.Value, 0.1*float64(i))
		}
		e.postPoints(t, device, points)
	}
	e.FoldAll(t)
	e.Post(t, `{"readings":[{"device":"recent","ts":%d,"values":{"m":-1}},{"device":"days","ts":1792805400000,"values":{"m":-2}}]}`, now)
}

// sqlRanges begin within an hour, a day, and a month, or have no bound.
var sqlRanges = []string{
	"readings(NULL, NULL, '2026-10-24 12:40:00+00', '2026-10-24 15:00:00+00')",
	"readings(NULL, NULL, '2026-10-24 23:05:00.001+00', '2026-10-25 01:45:00+00')",
	"readings(ARRAY['hours', 'months'], NULL, '2026-10-24 22:59:59.999+00', NULL)",
	"readings(ARRAY['months'], ARRAY['m'], '2026-03-29 00:30:00+00', '2026-03-31 12:00:00+00')",
	"readings(NULL, NULL, NULL, NULL)",
	"recent_readings",
	sqlAverages("'2026-10-24 12:40:00+00', '2026-10-25 15:00:00+00', '1 hour', NULL"),
	sqlAverages("'2026-10-24 23:05:00.001+00', NULL, '1 day', 'Australia/Lord_Howe'"),
	sqlAverages("NULL, NULL, '1 week', 'Europe/Berlin'"),
	sqlAverages("NULL, NULL, '1 month', 'America/Santiago'"),
}

// sqlAverages are buckets of everything, in the form of readings.
func sqlAverages(args string) string {
	return "(SELECT device, metric, ts, avg + count AS value FROM public.readings_buckets(NULL, NULL, " + args + ")) AS buckets"
}

func TestSQL_AnswersTheSameWhateverTheSessionsSettings(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	e := startEngine(t, pgtest.Open(t, cfg), func(l *config.Readings) { l.RetentionDays = 20_000 })
	sqlFixture(t, e)
	admin := sqlConnect(t, cfg)
	_, err := admin.Exec(t.Context(), sqlShadows)
	require.NoError(t, err)
	// The view's hour moves on: its readings are compared from some time in it on.
	recent := fmt.Sprintf(" WHERE ts > 'epoch'::timestamptz + %d * interval '1 second'", time.Now().Add(-40*time.Minute).Unix())
	ask := func(conn *pgx.Conn, query string) []sqlRow {
		switch {
		case query == "recent_readings":
			return sqlRows(t, conn, "public."+query+recent)
		case strings.HasPrefix(query, "("):
			return sqlRows(t, conn, query)
		}
		return sqlRows(t, conn, "public."+query)
	}
	want := map[string][]sqlRow{}
	for _, query := range sqlRanges {
		want[query] = ask(sqlConnect(t, cfg, "TimeZone = 'UTC'"), query)
		require.NotEmpty(t, want[query], query)
	}
	require.Len(t, want[sqlRanges[0]], 140+2, "a reading a minute, and one an hour")
	check := func(conn *pgx.Conn, settings string) {
		for _, query := range sqlRanges {
			got := ask(conn, query)
			require.Equal(t, len(want[query]), len(got), "%s with %s", query, settings)
			require.Equal(t, want[query], got, "%s with %s", query, settings)
		}
	}
	for _, zone := range sqlZones {
		check(sqlConnect(t, cfg, "TimeZone = '"+zone+"'"), zone)
	}
	for i, setting := range sqlSettings {
		zone := sqlZones[1+i%(len(sqlZones)-1)]
		check(sqlConnect(t, cfg, setting, "TimeZone = '"+zone+"'"), setting+" in "+zone)
	}
	for _, scope := range []string{"DATABASE " + cfg.Database, fmt.Sprintf("ROLE CURRENT_USER IN DATABASE %s", cfg.Database)} {
		for _, setting := range []string{"TimeZone = 'Asia/Kathmandu'", "DateStyle = 'SQL, DMY'", "search_path = other"} {
			_, err := admin.Exec(t.Context(), "ALTER "+scope+" SET "+setting)
			require.NoError(t, err)
		}
		check(sqlConnect(t, cfg), scope)
		_, err := admin.Exec(t.Context(), "ALTER "+scope+" RESET ALL")
		require.NoError(t, err)
	}
}

// Telltale's tables are in the schema that its role has first in search_path, and other roles need not have it there. Nothing
// of the program depends on what the role or the database sets either.
func TestSQL_WorksInASchemaOfItsOwnUnderOddDefaults(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	admin := sqlConnect(t, cfg)
	_, err := admin.Exec(t.Context(), `CREATE SCHEMA "of Telltale"`)
	require.NoError(t, err)
	for _, setting := range []string{
		`search_path = "of Telltale"`, "TimeZone = 'Asia/Kathmandu'", "DateStyle = 'SQL, DMY'", "IntervalStyle = sql_standard",
		"bytea_output = escape", "standard_conforming_strings = off", "extra_float_digits = -15", "transform_null_equals = on",
		"default_transaction_isolation = serializable", "backslash_quote = off",
	} {
		_, err := admin.Exec(t.Context(), "ALTER DATABASE "+cfg.Database+" SET "+setting)
		require.NoError(t, err, setting)
	}
	e := startEngine(t, pgtest.Open(t, cfg))
	sqlFixture(t, e)
	require.NoError(t, e.Runner.CloseDays(t.Context()))
	history := e.Answer(t, history.Query{From: 1_792_845_600_000, To: 1_792_854_000_000}).Rows
	rows := sqlRows(t, sqlConnect(t, cfg, "search_path = public", "TimeZone = 'Australia/Eucla'"),
		`"of Telltale".readings(NULL, NULL, 'epoch'::timestamptz + 1792845600 * interval '1 second', 'epoch'::timestamptz + 1792854000 * interval '1 second')`)
	require.Len(t, rows, len(history["hours/m"])+len(history["days/m"]))
	require.NotEmpty(t, rows)
	days := sqlRows(t, sqlConnect(t, cfg, "search_path = public"),
		`(SELECT device, metric, ts, count::float8 AS value FROM "of Telltale".readings_buckets('{hours}', NULL, NULL, NULL, '1 day', 'Europe/Berlin')) AS days`)
	require.Equal(t, []float64{22 * 60, 25 * 60, 24 * 60, 60}, values(days))
}

// insertByHand gives a series the chunk of another one.
const insertByHand = `
INSERT INTO reading_chunks (series_id, start_at, hours, count, min, max, sum, first, last, data, sum_rest)
SELECT $2, start_at, hours, count, min, max, sum, first, last, data, sum_rest FROM reading_chunks WHERE series_id = $1`

// docs/sql.md: write through the API only.
func TestSQL_RowsAddedToTheTablesAreInNoLogAndNotInMemory(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	const may, june = 1_777_680_000_000, 1_780_358_400_000
	e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}},{"device":"b","ts":%d,"values":{"m":2}}]}`, int64(june), int64(may))
	e.FoldAll(t)
	logged, err := e.Log.State(t.Context())
	require.NoError(t, err)
	head := e.Window.Head()
	a, _ := e.Registry.Find("a", "m")
	b, _ := e.Registry.Find("b", "m")

	_, err = db.Exec(t.Context(), insertByHand, a, b)
	require.NoError(t, err)
	require.NoError(t, e.Tail.Reach(t.Context()))

	require.Equal(t, [][]float64{{may, 2}, {june, 1}}, e.Answer(t, history.Query{}).Rows["b/m"], "it is stored")
	after, err := e.Log.State(t.Context())
	require.NoError(t, err)
	require.Equal(t, logged, after, "the log has no batch of it")
	require.Equal(t, head, e.Window.Head(), "viewers are written what the window gets")
	states, err := e.Queries.Latest(t.Context(), everyone, history.Selection{Devices: []string{"b"}})
	require.NoError(t, err)
	require.Len(t, states, 1)
	require.Equal(t, int64(may), states[0].LastTS, "memory does not know it")
}
