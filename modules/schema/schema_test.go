package schema_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/schema"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, schema.New()) }

// released are the migrations that databases in use have run, with the SHA-256 of their text: neither may change.
var released = []struct{ name, sum string }{
	{"0001_initial.sql", "3fd7a74cb1a4693e0d0fc52622b51675039b413a601dbe824a33021af64bf8fa"},
	{"0002_sql.sql", "0fcd3ac714501cb892c967409cae12d223875ee51d20fa6487564b4920c63025"},
	{"0003_deletions.sql", "a609978340aef0bb96f48f63f6bb16f992b46294cba1539f536c092c74297cad"},
	{"0004_places_in_the_log.sql", "87db5b40c4b45d8fe990c5216a0ed867a429f05da4dde97eb2f2141ea523b240"},
	{"0005_arrivals.sql", "935da0cbf3b952c32f55bd7702456f2774d398a0bc848967754c348a9d9e7b87"},
}

func TestSchema_OfReleasedMigrationsNeverChanges(t *testing.T) {
	t.Parallel()
	merged := schema.New()
	names := merged.Names()
	require.GreaterOrEqual(t, len(names), len(released))
	for i, migration := range released {
		require.Equal(t, migration.name, names[i])
		text, err := fs.ReadFile(merged, migration.name)
		require.NoError(t, err)
		sum := sha256.Sum256(text)
		require.Equal(t, migration.sum, hex.EncodeToString(sum[:]), migration.name)
	}
}

// A database that was migrated before the migrations were the modules' own has these rows in goose's table.
const rowsOfBefore = `SELECT version_id FROM goose_db_version WHERE is_applied ORDER BY id`

func TestSchema_OfADatabaseInUseIsRecognised(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	done, err := postgres.Migrate(context.Background(), cfg, schema.New())
	require.NoError(t, err)
	require.Len(t, done, len(schema.New().Names()))
	conn := pgtest.Connect(t, cfg)
	rows, err := conn.Query(t.Context(), rowsOfBefore)
	require.NoError(t, err)
	versions, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(t, err)
	require.Equal(t, []int64{0, 1, 2, 3, 4, 5}, versions[:6])

	done, err = postgres.Migrate(context.Background(), cfg, schema.New())
	require.NoError(t, err)
	require.Empty(t, done)
}

func TestSchema_GoesOnFromADatabaseOfAnyVersion(t *testing.T) {
	t.Parallel()
	merged := schema.New()
	for last := range len(released) {
		cfg := pgtest.Config(t)
		older := fstest.MapFS{}
		for _, migration := range released[:last+1] {
			text, err := fs.ReadFile(merged, migration.name)
			require.NoError(t, err)
			older[migration.name] = &fstest.MapFile{Data: text}
		}
		before, err := postgres.NewSchema(older)
		require.NoError(t, err)
		done, err := postgres.Migrate(context.Background(), cfg, before)
		require.NoError(t, err)
		require.Len(t, done, last+1)
		done, err = postgres.Migrate(context.Background(), cfg, merged)
		require.NoError(t, err)
		require.Len(t, done, len(merged.Names())-last-1)
	}
}
