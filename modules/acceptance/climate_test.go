package acceptance

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// climate is a file of real sensor readings, and what a plain computation over it finds.
type climate struct {
	header string
	lines  []string
	rows   int
	// values has the last value in the file for each series and instant.
	values map[string]map[int64]float64
}

// readClimate reads a file row by row, in its order.
func readClimate(t *testing.T, path string) climate {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	plain, err := gzip.NewReader(file)
	require.NoError(t, err)
	text, err := io.ReadAll(plain)
	require.NoError(t, err)
	return parseClimate(t, string(text))
}

func parseClimate(t *testing.T, text string) climate {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	c := climate{header: lines[0], lines: lines[1:], rows: len(lines) - 1, values: map[string]map[int64]float64{}}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		ts, err := time.Parse(time.RFC3339, row[1])
		require.NoError(t, err)
		for i, metric := range rows[0][2:] {
			value, err := strconv.ParseFloat(row[i+2], 64)
			require.NoError(t, err)
			series := row[0] + "/" + metric
			if c.values[series] == nil {
				c.values[series] = map[int64]float64{}
			}
			c.values[series][ts.UnixMilli()] = value
		}
	}
	return c
}

// climates returns the files of ../shared/data, as far as they are there, and always one like them that is made up.
func climates(t *testing.T) map[string]climate {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: what takes the running program is not tested")
	}
	paths, err := filepath.Glob("../../../shared/data/room-climate-*.csv.gz")
	require.NoError(t, err)
	all := map[string]climate{"made-up": parseClimate(t, makeClimate())}
	for _, path := range paths {
		all[filepath.Base(path)] = readClimate(t, path)
	}
	return all
}

// TestReadings_OfARealDataSetComeBackAsTheyWere posts real readings and compares every answer with the plain computation: before a
// fold, after it, and after a restart. A viewer sees each reading once.
func TestReadings_OfARealDataSetComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	for name, file := range climates(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, pgtest.Config(t))
			viewer := p.view("", "")
			for lines := range slices.Chunk(file.lines, 5000) {
				p.postRows(file.header, lines)
			}
			file.compare(t, p)
			p.call("POST", "/api/readings/fold", "", "", nil)
			file.compare(t, p)
			file.compareEvents(t, viewer.wait(t, file.rows))
			require.Zero(t, p.stop())
			p.start()
			file.compare(t, p)
		})
	}
}

// postRows stores lines of CSV, of seven readings each.
func (p *program) postRows(header string, lines []string) {
	p.t.Helper()
	var receipt struct{ Accepted, Overwritten int }
	p.call("POST", "/api/readings", "text/csv", header+"\n"+strings.Join(lines, "\n"), &receipt)
	require.Equal(p.t, 7*len(lines), receipt.Accepted+receipt.Overwritten)
	require.Equal(p.t, 7*repeated(lines), receipt.Overwritten, "the answer counts what can be read back")
}

// repeated returns how many of the lines have device and instant of another one behind them.
func repeated(lines []string) int {
	seen := map[string]bool{}
	for _, line := range lines {
		cells := strings.SplitN(line, ",", 3)
		seen[cells[0]+","+cells[1]] = true
	}
	return len(lines) - len(seen)
}

// compare asks for raw history, hourly averages and counts, and the newest readings.
func (c climate) compare(t *testing.T, p *program) {
	t.Helper()
	raw, hourly := p.history(""), p.history("interval=1h&agg=avg&agg=count&agg=sum")
	require.Len(t, raw, len(c.values))
	for series, values := range c.values {
		instants := slices.Sorted(maps.Keys(values))
		require.Len(t, raw[series], len(instants), series)
		for i, ts := range instants {
			if want := []float64{float64(ts), values[ts]}; !slices.Equal(want, raw[series][i]) { // require takes long, a million times
				require.Equal(t, want, raw[series][i], series)
			}
		}
		c.compareHours(t, series, instants, hourly[series])
	}
	var latest struct {
		Series []struct {
			Device, Metric string
			TS             int64
			Value          float64
		}
	}
	p.call("GET", "/api/readings/latest", "", "", &latest)
	require.Len(t, latest.Series, len(c.values))
	for _, s := range latest.Series {
		values := c.values[s.Device+"/"+s.Metric]
		newest := slices.Max(slices.Collect(maps.Keys(values)))
		require.Equal(t, newest, s.TS)
		require.InDelta(t, values[newest], s.Value, 0)
	}
}

func (c climate) compareHours(t *testing.T, series string, instants []int64, got [][]float64) {
	t.Helper()
	const hour = 3_600_000
	var want [][]float64
	for len(instants) > 0 {
		start, sum, n := instants[0]/hour*hour, new(big.Float).SetPrec(1000), 0
		for n < len(instants) && instants[n] < start+hour {
			sum.Add(sum, big.NewFloat(c.values[series][instants[n]]))
			n++
		}
		total, _ := sum.Float64()
		mean, _ := new(big.Float).SetPrec(1000).Quo(sum, big.NewFloat(float64(n))).Float64()
		want = append(want, []float64{float64(start), mean, float64(n), total})
		instants = instants[n:]
	}
	require.Equal(t, want, got, series)
}

// compareEvents checks that the viewer has seen every row of the file once, in the order of the file.
func (c climate) compareEvents(t *testing.T, events []event) {
	t.Helper()
	require.Len(t, events, c.rows)
	names := strings.Split(c.header, ",")
	for i, line := range c.lines {
		var seen struct {
			Device, TS string
			Values     map[string]float64
		}
		require.NoError(t, json.Unmarshal([]byte(events[i].Data), &seen))
		cells := strings.Split(line, ",")
		if cells[0] != seen.Device || cells[1] != seen.TS || len(cells)-2 != len(seen.Values) {
			require.Equal(t, line, events[i].Data, "event %d", i)
		}
		for k, cell := range cells[2:] {
			value, err := strconv.ParseFloat(cell, 64)
			require.NoError(t, err)
			if seen.Values[names[k+2]] != value {
				t.Fatalf("event %d is %s, and the file has %s", i, events[i].Data, line)
			}
		}
	}
}
