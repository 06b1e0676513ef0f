//go:build e2e

package acceptance

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

func TestE2EInflux_NodePackageWrites(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	node := node(t, "writer.mjs", "@influxdata/influxdb-client@1.35.0")
	node.Env = append(os.Environ(), "URL="+p.url, "TOKEN="+p.key())
	var diagnostics strings.Builder
	node.Stderr = &diagnostics
	said, err := node.Output()
	require.NoError(t, err, "%s%s", said, &diagnostics)
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	require.Len(t, lines, 5, "%s", said)
	require.Equal(t, "written", lines[0])
	require.JSONEq(t, `{"status":422,"code":"unprocessable entity","message":"partial write: 1 values were stored, 1 lines were not: `+
		`line 2: the time 1 is 1970-01-01T00:00:00.001Z; times of readings lie between 1971-01-01 and 2200-01-01; is the sender's clock set?"}`, lines[1])
	require.Equal(t, "refused", lines[2])
	require.JSONEq(t, `{"status":401,"code":"unauthorized"}`, lines[3])
	require.Equal(t, "refused", lines[4])

	series := p.history("device=node")
	require.Len(t, series, 4)
	require.Len(t, series["node/temperature.raw"], 5000)
	for i, point := range series["node/temperature"] {
		require.Equal(t, []float64{float64(instantZero + i + 1), float64(i+1) / 10}, point)
	}
	require.Equal(t, [][]float64{{instantZero + 1, 1}}, series["node/relay;place=roof"])
	require.Equal(t, [][]float64{{instantZero + 1, 1}}, series["node/m"])
}

func TestE2EInflux_CurlWrites(t *testing.T) {
	t.Parallel()
	requireProgram(t, "curl", "curl")
	p := start(t, pgtest.Config(t))
	curl := func(arguments ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "curl", append([]string{"--silent", "--show-error", "--write-out", "%{http_code}"}, arguments...)...).Output()
		require.NoError(t, err)
		return string(out)
	}
	require.Equal(t, "204", curl("--user", "telegraf:"+p.key(), "--data-binary", "m,host=a value=1 1700000000001", p.url+"/write?db=d&precision=ms"))
	require.Equal(t, "204", curl("--header", "Authorization: Token "+p.key(), "--data-binary", "m,host=a value=2 1700000000002", p.url+"/api/v2/write?precision=ms"))
	require.Equal(t, "204", curl("--head", p.url+"/ping")[len("HTTP/1.1 "):][:3])
	require.Equal(t, [][]float64{{instantZero + 1, 1}, {instantZero + 2, 2}}, p.history("device=a")["a/m"])
}
