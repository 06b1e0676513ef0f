package postgres_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres"
)

func TestSchema_HasTheMigrationsOfEveryFolderInOrderOfTheirNumbers(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	first := fstest.MapFS{"0003_c.sql": file("c"), "0001_a.sql": file("a"), "notes.txt": file("x")}
	schema, err := postgres.NewSchema(first, fstest.MapFS{"10_d.sql": file("d"), "2_b.sql": file("b")})
	require.NoError(t, err)
	require.Equal(t, []string{"0001_a.sql", "2_b.sql", "0003_c.sql", "10_d.sql"}, schema.Names())
	names, err := fs.Glob(schema, "*.sql")
	require.NoError(t, err)
	require.Equal(t, schema.Names(), names)
	for name, text := range map[string]string{"2_b.sql": "b", "0003_c.sql": "c"} {
		data, err := fs.ReadFile(schema, name)
		require.NoError(t, err)
		require.Equal(t, text, string(data))
	}
	_, err = schema.Open("notes.txt")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestSchema_RefusesANumberThatIsTaken(t *testing.T) {
	t.Parallel()
	for _, second := range []string{"0001_b.sql", "1_a.sql", "0001_a.sql"} {
		_, err := postgres.NewSchema(fstest.MapFS{"0001_a.sql": {}}, fstest.MapFS{second: {}})
		require.EqualError(t, err, "the migrations 0001_a.sql and "+second+" have the same number")
	}
	_, err := postgres.NewSchema(fstest.MapFS{"initial.sql": {}})
	require.ErrorContains(t, err, "read the number of the migration initial.sql")
}
