package readings_test

import (
	"context"
	"crypto/rand"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/chunk"
	"telltale/platform/postgres/pgtest"
)

// readable are the columns that docs/sql.md gives to the role for Grafana; all of a relation without any.
var readable = map[string][]string{
	"series": {"id", "device_id", "metric"}, "devices": {"id", "retention_days"}, "log_state": {"folded_seq", "retention_days"},
	"reading_log": {"seq", "max_ts", "series", "data"}, "reading_chunks": nil, "recent_readings": nil,
}

// sqlPage returns the snippets of docs/sql.md in a language.
func sqlPage(t *testing.T, language string) (snippets []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/sql.md")
	require.NoError(t, err)
	for _, found := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllSubmatch(page, -1) {
		snippets = append(snippets, string(found[1]))
	}
	return snippets
}

func TestSQLRole_ReadsReadingsAndNothingElse(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	e := startEngine(t, pgtest.Open(t, cfg))
	admin := sqlConnect(t, cfg)
	// Roles belong to a server, which tests may share.
	name := "telltale_reader_" + strings.ToLower(rand.Text()[:8])
	t.Cleanup(func() {
		for _, statement := range []string{"DROP OWNED BY ", "DROP ROLE "} {
			_, err := admin.Exec(context.Background(), statement+name)
			require.NoError(t, err)
		}
	})
	made := false
	for _, snippet := range sqlPage(t, "sql") {
		if strings.Contains(snippet, "CREATE ROLE telltale_reader") {
			_, err := admin.Exec(t.Context(), strings.ReplaceAll(snippet, "telltale_reader", name))
			require.NoError(t, err)
			made = true
		}
	}
	require.True(t, made)
	cfg.Username, cfg.Password = name, "a long random one"
	reader := sqlConnect(t, cfg)

	const april = 1_775_001_600_000 // 2026-04-01
	now := time.Now().UnixMilli()
	for _, ts := range []int64{now, april} {
		e.Post(t, `{"readings":[{"device":"greenhouse-7","ts":%d,"values":{"temperature":21.5}}]}`, ts)
	}
	require.Len(t, sqlRows(t, reader, "readings(NULL, NULL, NULL, NULL)"), 2, "in the log")
	e.FoldAll(t)
	e.Post(t, `{"readings":[{"device":"greenhouse-7","ts":%d,"values":{"temperature":22}}]}`, int64(april+chunk.Minute))
	require.Len(t, sqlRows(t, reader, "readings(NULL, NULL, NULL, NULL)"), 3, "in partitions made since")
	require.Len(t, sqlRows(t, reader, "recent_readings"), 1)
	require.Len(t, bucketsInSQL(t, reader, nil, nil, nil, "1 day", "Europe/Berlin")["greenhouse-7/temperature"], 2)

	queries := sqlPage(t, "grafana")
	require.NotEmpty(t, queries)
	for _, query := range queries {
		query = strings.NewReplacer("$__timeFrom()", "'2026-03-31T12:00:00Z'", "$__timeTo()", "'2026-04-02T00:00:00Z'", "$__interval", "30m").Replace(query)
		rows, err := reader.Query(t.Context(), query)
		require.NoError(t, err, query)
		found, err := pgx.CollectRows(rows, pgx.RowToMap)
		require.NoError(t, err, query)
		require.Len(t, found, 1, query)
	}
	requireReadable(t, admin, reader)
}

// requireReadable checks that the reader reads what is readable and writes nothing.
func requireReadable(t *testing.T, admin, reader *pgx.Conn) {
	t.Helper()
	rows, err := admin.Query(t.Context(), `SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND a.attnum > 0 AND NOT a.attisdropped`)
	require.NoError(t, err)
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Table, Name string }])
	require.NoError(t, err)
	seen := map[string]int{}
	for _, c := range columns {
		_, err := reader.Exec(t.Context(), "SELECT "+pgx.Identifier{c.Name}.Sanitize()+" FROM "+pgx.Identifier{c.Table}.Sanitize()+" LIMIT 0")
		names, known := readable[c.Table]
		if known && (names == nil || slices.Contains(names, c.Name)) {
			require.NoError(t, err, "%s of %s", c.Name, c.Table)
			seen[c.Table]++
		} else {
			require.ErrorContains(t, err, "permission denied", "%s of %s", c.Name, c.Table)
		}
	}
	for table, names := range readable {
		require.GreaterOrEqual(t, seen[table], max(1, len(names)), table)
	}
	for _, c := range columns {
		for _, statement := range []string{"DELETE FROM %", "TRUNCATE %", "INSERT INTO % DEFAULT VALUES", "UPDATE % SET " + pgx.Identifier{c.Name}.Sanitize() + " = NULL"} {
			_, err := reader.Exec(t.Context(), strings.ReplaceAll(statement, "%", pgx.Identifier{c.Table}.Sanitize()))
			require.Error(t, err, "%s: %s", c.Table, statement)
		}
	}
	var writable int
	require.NoError(t, admin.QueryRow(t.Context(), `SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
		AND (has_table_privilege($1, oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR has_any_column_privilege($1, oid, 'INSERT, UPDATE, REFERENCES'))`,
		reader.Config().User).Scan(&writable))
	require.Zero(t, writable)
}
