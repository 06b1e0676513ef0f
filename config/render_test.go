package config

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRender_ExampleFileIsUpToDate(t *testing.T) {
	t.Parallel()
	var want strings.Builder
	require.NoError(t, WriteExample(&want))
	got, err := os.ReadFile("../.env.example")
	require.NoError(t, err)
	require.Equal(t, want.String(), string(got), "run: go run . config --format=env > .env.example")
}

func TestRender_PageOfTheConfigurationIsUpToDate(t *testing.T) {
	t.Parallel()
	var want strings.Builder
	require.NoError(t, WriteMarkdown(&want))
	page, err := os.ReadFile("../docs/configuration.md")
	require.NoError(t, err)
	require.Contains(t, string(page), "\n\n"+want.String()+"\n", "put the output of: go run . config --format=markdown")
}

func TestRender_ReportShowsMeaningDefaultAndEffectiveValue(t *testing.T) {
	t.Parallel()
	var report strings.Builder
	l := from(t, server().with(vars{"PORT": "8080", "DB_PASSWORD_FILE": write(t, "p")}))
	require.NoError(t, l.writeReport(&report))
	for _, v := range Variables() {
		require.Contains(t, report.String(), "\n  "+v.Name+" = ")
	}
	require.Contains(t, report.String(), "\n  PORT = 8080\n      Port to listen on. Allowed: a whole number from 1 to 65535. Default: 8000.\n")
	require.Contains(t, report.String(), "\n  JWT_SECRET_KEY = set\n")
	require.Contains(t, report.String(), "\n  DB_PASSWORD = set, from DB_PASSWORD_FILE\n")
	require.Contains(t, report.String(), "\n  ADMIN_PASSWORD = not set\n")
	require.Contains(t, report.String(), "\n  ALLOWED_ORIGINS = not set\n")
	for line := range strings.Lines(report.String()) {
		require.LessOrEqual(t, len(strings.TrimSpace(line)), 100)
	}
}

func TestRender_MarkdownTableHasARowForEachVariable(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	require.NoError(t, WriteMarkdown(&table))
	require.Equal(t, len(Variables())+2, strings.Count(table.String(), "\n"))
	require.Contains(t, table.String(), "\n| `PORT` | `8000` | Port to listen on. |\n")
}
