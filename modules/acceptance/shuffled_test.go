package acceptance

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// Readings that come in any order, with folds in between, give the same answers, byte for byte, as in the order in which they
// were recorded.
func TestReadings_InAnyOrderGiveTheSameAnswers(t *testing.T) {
	t.Parallel()
	const seed = 5
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	var header string
	var lines []string
	files := climates(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header = files[name].header
		for i, line := range files[name].lines {
			if !raceDetector || i%8 == 0 { // a program that is watched so closely would take minutes for all of them
				lines = append(lines, line)
			}
		}
	}
	ordered, shuffled := start(t, pgtest.Config(t)), start(t, pgtest.Config(t))
	for part := range slices.Chunk(lines, 20_000) {
		ordered.postRows(header, part)
	}
	ordered.call("POST", "/api/readings/fold", "", "", nil)
	n := 0
	for part := range slices.Chunk(shuffle(random, lines), 20_000) {
		shuffled.postRows(header, part)
		if n++; n%3 == 1 {
			shuffled.call("POST", "/api/readings/fold", "", "", nil)
		}
	}
	const years, month = "from=2016-01-01T00:00:00Z&to=2018-01-01T00:00:00Z", "from=2016-10-10T00:00:00Z&to=2016-11-10T00:00:00Z"
	requireSameAnswer(t, ordered, shuffled, years)
	shuffled.call("POST", "/api/readings/fold", "", "", nil)
	const all = "&agg=avg,min,max,sum,count,first,last,median,p95"
	for _, parameters := range []string{
		years,
		years + "&interval=1h" + all,
		years + "&interval=1h&agg=avg,min,max,sum,count,first,last",
		years + "&interval=1d&tz=Europe/Berlin" + all,
		years + "&interval=1d&tz=Europe/Berlin&agg=avg,min,max,sum,count,first,last",
		years + "&interval=1d&agg=avg,min,max,sum,count,first,last",
		years + "&interval=1mo&agg=avg,min,max,sum,count,first,last",
		years + "&max_points=200&downsample=lttb",
		years + "&max_points=200&downsample=minmax",
		month + "&interval=15m&agg=median,p95",
		month + "&interval=1h&fill=linear&agg=avg,p95",
		month + "&interval=1h&fill=previous&agg=avg,count",
		month + "&interval=1d&tz=Europe/Berlin&fill=null" + all,
	} {
		requireSameAnswer(t, ordered, shuffled, parameters)
	}
}

// shuffle returns the lines in another order, those of one device and instant in their own.
func shuffle(random *rand.Rand, lines []string) []string {
	key := func(line string) string {
		device, rest, _ := strings.Cut(line, ",")
		ts, _, _ := strings.Cut(rest, ",")
		return device + "," + ts
	}
	same := map[string][]string{}
	for _, line := range lines {
		same[key(line)] = append(same[key(line)], line)
	}
	lines = slices.Clone(lines)
	random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	for i, line := range lines {
		k := key(line)
		lines[i], same[k] = same[k][0], same[k][1:]
	}
	return lines
}

func requireSameAnswer(t *testing.T, one, other *program, parameters string) {
	t.Helper()
	var answers [2][]byte
	for i, p := range []*program{one, other} {
		status, answer := p.plain(http.MethodGet, "/api/readings?format=csv&"+parameters, "")
		require.Equal(t, http.StatusOK, status, "%s\n%s", answer, p.log)
		require.Greater(t, len(answer), 500)
		answers[i] = answer
	}
	if string(answers[0]) == string(answers[1]) {
		return
	}
	a, b := strings.Split(string(answers[0]), "\n"), strings.Split(string(answers[1]), "\n")
	require.Len(t, b, len(a), parameters)
	for i := range a {
		require.Equal(t, a[i], b[i], "%s, line %d", parameters, i)
	}
}
