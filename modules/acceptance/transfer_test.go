package acceptance

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// command runs a subcommand against the instance, with its token in a file, and returns what it writes and its exit code.
func (p *program) command(stdin string, arguments ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "token")
	require.NoError(p.t, os.WriteFile(file, []byte(p.token+"\n"), 0o600))
	command := exec.CommandContext(context.Background(), binary, arguments...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "PORT=" + p.port, "TELLTALE_TOKEN_FILE=" + file}
	var out, errs bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &out, &errs
	_ = command.Run() // the exit code says more
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

func TestTransfer_ImportsAndExportsFromTheCommandLine(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	dir := t.TempDir()
	var rows strings.Builder
	rows.WriteString("device,metric,ts,value\n")
	for ts := range 1000 {
		fmt.Fprintf(&rows, "a,m,2026-11-01T00:00:00.%03dZ,%d\n", ts, ts)
	}
	path := filepath.Join(dir, "rows.csv")
	require.NoError(t, os.WriteFile(path, []byte(rows.String()), 0o600))

	_, stderr, code := p.command("", "import", path)
	require.Zero(t, code, stderr)
	require.Equal(t, "1000 records stored, 0 rejected.\n", stderr)

	stdout, stderr, code := p.command("", "export", "--device=a", "--from=2026-11-01T00:00:00Z", "--to=2026-11-02T00:00:00Z")
	require.Zero(t, code, stderr)
	require.Equal(t, rows.String(), stdout)
	_, stderr, code = p.command("", "export", "--to=2100-01-01T00:00:00Z", "--format=ndjson", "-o", filepath.Join(dir, "all.ndjson.gz"))
	require.Zero(t, code, stderr)
	require.Equal(t, "1000 readings exported.\n", stderr)
	_, stderr, code = p.command("", "import", path, filepath.Join(dir, "all.ndjson.gz"))
	require.Zero(t, code, stderr)
	require.Equal(t, "2000 records stored, 0 rejected.\n", stderr)

	_, stderr, code = p.command("m,device=b value=1 1700000000000\nm value=2 1700000000000\n", "import", "--precision=ms", "--on-error=skip", "-")
	require.Zero(t, code, stderr)
	require.Equal(t, "standard input:2: no tag names the device: it takes host or device\n1 records stored, 1 rejected.\n", stderr)
	_, stderr, code = p.command("m value=2 2\n", "import", "-")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "telltale: importing standard input: 1 records are not valid")
	_, stderr, code = p.command("device,m\na,1\n", "import", "--url", p.url+"/nowhere", "-")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "404")
	require.NotContains(t, stderr, p.token)

	series := p.history("")
	require.Len(t, series["a/m"], 1000)
	require.Equal(t, [][]float64{{1700000000000, 1}}, series["b/m"])
	require.Len(t, series, 2)
}
