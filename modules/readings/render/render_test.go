package render_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/render"
	"telltale/platform/fault"
)

// document writes one answer and returns it whole.
func document(t *testing.T, f render.Format, h render.Header, write func(*render.Writer)) string {
	t.Helper()
	var out bytes.Buffer
	w := render.NewWriter(f, h, func(b []byte) error { out.Write(b); return nil })
	defer w.Release()
	write(w)
	require.NoError(t, w.Flush())
	return out.String()
}

func raw(w *render.Writer) {
	_ = w.Series("a", "temperature", "°C")
	_ = w.Points([]int64{1762128000000, 1762128000250}, []float64{21.5, -3})
	_ = w.Points([]int64{1762214400001}, []float64{0})
	_ = w.Series(`b"\`, "x,y", "")
	_ = w.Series("c", "n", "")
	_ = w.Points(nil, nil)
	_ = w.Points([]int64{5}, []float64{1e21})
	_ = w.End("next\n1")
}

func TestWriter_WritesRawReadings(t *testing.T) {
	t.Parallel()
	h := render.Header{From: 5, To: 1762214400002, Stamp: 77}
	require.Equal(t, `{"from":5,"to":1762214400002,"seq":77,"series":[`+
		`{"device":"a","metric":"temperature","unit":"°C","columns":["ts","value"],"points":[[1762128000000,21.5],[1762128000250,-3],[1762214400001,0]]},`+
		`{"device":"b\"\\","metric":"x,y","unit":"","columns":["ts","value"],"points":[]},`+
		`{"device":"c","metric":"n","unit":"","columns":["ts","value"],"points":[[5,1e+21]]}`+
		`],"next_cursor":"next\n1"}`, document(t, render.JSON, h, raw))
	require.Equal(t, "device,metric,ts,value\n"+
		"a,temperature,2025-11-03T00:00:00.000Z,21.5\na,temperature,2025-11-03T00:00:00.250Z,-3\na,temperature,2025-11-04T00:00:00.001Z,0\n"+
		"c,n,1970-01-01T00:00:00.005Z,1e+21\n", document(t, render.CSV, h, raw))
	require.Equal(t, `{"device":"a","metric":"temperature","ts":1762128000000,"value":21.5}
{"device":"a","metric":"temperature","ts":1762128000250,"value":-3}
{"device":"a","metric":"temperature","ts":1762214400001,"value":0}
{"device":"c","metric":"n","ts":5,"value":1e+21}
{"next_cursor":"next\n1"}
`, document(t, render.NDJSON, h, raw))
}

func TestWriter_WritesBuckets(t *testing.T) {
	t.Parallel()
	h := render.Header{From: 0, To: 7200000, Stamp: 1, Interval: "1h", TZ: "Europe/Berlin", Columns: []string{"avg", "count"}}
	buckets := func(w *render.Writer) {
		_ = w.Series("a,b", "t", "°C")
		_ = w.Bucket(0, []float64{0.1, 3})
		_ = w.Bucket(3600000, []float64{math.NaN(), 0})
		_ = w.Bucket(7200000, []float64{1, math.Inf(1)})
		_ = w.End("")
	}
	require.Equal(t, `{"from":0,"to":7200000,"seq":1,"interval":"1h","tz":"Europe/Berlin","series":[`+
		`{"device":"a,b","metric":"t","unit":"°C","columns":["ts","avg","count"],"points":[[0,0.1,3],[3600000,null,0],[7200000,1,null]]}]}`,
		document(t, render.JSON, h, buckets))
	require.Equal(t, "device,metric,ts,avg,count\n\"a,b\",t,1970-01-01T00:00:00.000Z,0.1,3\n"+
		"\"a,b\",t,1970-01-01T01:00:00.000Z,,0\n\"a,b\",t,1970-01-01T02:00:00.000Z,1,\n", document(t, render.CSV, h, buckets))
	require.Equal(t, `{"device":"a,b","metric":"t","ts":0,"avg":0.1,"count":3}
{"device":"a,b","metric":"t","ts":3600000,"avg":null,"count":0}
{"device":"a,b","metric":"t","ts":7200000,"avg":1,"count":null}
`, document(t, render.NDJSON, h, buckets))
}

func TestWriter_WritesAnEmptyAnswer(t *testing.T) {
	t.Parallel()
	end := func(w *render.Writer) { _ = w.End("") }
	require.Equal(t, `{"from":1,"to":2,"seq":0,"series":[]}`, document(t, render.JSON, render.Header{From: 1, To: 2}, end))
	require.Equal(t, "device,metric,ts,value\n", document(t, render.CSV, render.Header{}, end))
	require.Empty(t, document(t, render.NDJSON, render.Header{}, end))
}

// TestWriter_PiecesMakeTheSameDocument writes much more than a buffer holds, by every way in, and reads it back.
func TestWriter_PiecesMakeTheSameDocument(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: a large document is not written in pieces of every size")
	}
	random := rand.New(rand.NewPCG(1, 2))
	ts, values := make([]int64, 30_000), make([]float64, 30_000)
	at := int64(99_999_000)
	for i := range ts {
		at += random.Int64N(1 << random.IntN(28))
		ts[i], values[i] = at, someFloat(random)
	}
	write := func(w *render.Writer) {
		for _, device := range []string{"a", strings.Repeat("é\x01", 64), strings.Repeat("long", 40_000)} {
			_ = w.Series(device, "m", "u")
			n := 0
			for n < 300 {
				_ = w.Bucket(ts[n], values[n:n+1])
				n++
			}
			for n < len(ts) && len(device) < 1000 {
				m := min(len(ts), n+random.IntN(9000))
				_ = w.Points(ts[n:m], values[n:m])
				n = m
			}
		}
		_ = w.End("")
	}

	var answer struct {
		Series []struct {
			Device string
			Points [][2]json.Number
		}
	}
	require.NoError(t, json.Unmarshal([]byte(document(t, render.JSON, render.Header{}, write)), &answer))
	require.Len(t, answer.Series, 3)
	require.Len(t, answer.Series[1].Points, len(ts))
	require.Len(t, answer.Series[2].Points, 300)
	for i, p := range answer.Series[1].Points {
		requireRow(t, ts[i], values[i], p[0].String(), p[1].String())
	}

	rows, err := csv.NewReader(strings.NewReader(document(t, render.CSV, render.Header{}, write))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+2*len(ts)+300)
	for i, row := range rows[1 : 1+len(ts)] {
		parsed, err := time.Parse(time.RFC3339, row[2])
		require.NoError(t, err)
		requireRow(t, ts[i], values[i], strconv.FormatInt(parsed.UnixMilli(), 10), row[3])
	}

	lines := json.NewDecoder(strings.NewReader(document(t, render.NDJSON, render.Header{}, write)))
	for i := range ts {
		var line struct{ TS, Value json.Number }
		require.NoError(t, lines.Decode(&line))
		requireRow(t, ts[i], values[i], line.TS.String(), line.Value.String())
	}
}

func requireRow(t *testing.T, ts int64, v float64, gotTS, gotValue string) {
	t.Helper()
	if got, err := strconv.ParseFloat(gotValue, 64); err != nil || math.Float64bits(got) != math.Float64bits(v) ||
		gotTS != strconv.FormatInt(ts, 10) {
		require.Failf(t, "wrong row", "want %d %v, got %s %s", ts, v, gotTS, gotValue)
	}
}

// someFloat returns values of all kinds: with few decimals, with many, and any bits at all.
func someFloat(random *rand.Rand) float64 {
	switch random.IntN(4) {
	case 0:
		return math.Round(random.NormFloat64()*1e4) / math.Pow10(random.IntN(5))
	case 1:
		return float64(random.Int64N(1<<random.IntN(63))) / math.Pow10(random.IntN(12))
	case 2:
		return float64(float32(random.NormFloat64()))
	}
	for {
		if v := math.Float64frombits(random.Uint64()); !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v
		}
	}
}

func TestWriter_StopsAtTheFirstErrorOfFlush(t *testing.T) {
	t.Parallel()
	gone, calls := errors.New("gone"), 0
	ts, values := make([]int64, 100_000), make([]float64, 100_000)
	for _, f := range []render.Format{render.JSON, render.CSV, render.NDJSON} {
		calls = 0
		w := render.NewWriter(f, render.Header{}, func([]byte) error { calls++; return gone })
		require.NoError(t, w.Series("a", "m", ""))
		require.ErrorIs(t, w.Points(ts, values), gone)
		require.ErrorIs(t, w.Points(ts, values), gone)
		require.ErrorIs(t, w.Bucket(0, values[:1]), gone)
		require.ErrorIs(t, w.Series("b", "m", ""), gone)
		require.ErrorIs(t, w.End(""), gone)
		require.ErrorIs(t, w.Flush(), gone)
		require.Equal(t, 1, calls)
		w.Release()
	}
}

func TestWriter_DoesNotFlushAnAnswerOfOnePiece(t *testing.T) {
	t.Parallel()
	w := render.NewWriter(render.JSON, render.Header{}, func([]byte) error { return errors.New("not expected") })
	defer w.Release()
	raw(w)
	b, whole := w.Buffered()
	require.True(t, whole)
	require.True(t, json.Valid(b))
}

func TestNegotiate_FindsTheFormatThatIsAccepted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		accept, param string
		want          render.Format
	}{
		{"", "", render.JSON},
		{"*/*", "", render.JSON},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "", render.JSON},
		{"text/csv", "", render.CSV},
		{"Text/CSV; charset=utf-8; q=0.5, application/json;q=0.4", "", render.CSV},
		{"application/json, text/csv", "", render.JSON},
		{"application/json;q=0, */*", "", render.NDJSON},
		{"text/*", "", render.CSV},
		{"application/jsonl", "", render.NDJSON},
		{"application/x-ndjson, */*;q=0.1", "", render.NDJSON},
		{"*/*;q=0.9, application/json;q=0.1", "", render.NDJSON},
		{"text/csv;q=oops, application/x-ndjson;q=0.001", "", render.NDJSON},
		{"text/csv", "json", render.JSON},
		{"image/png", "ndjson", render.NDJSON},
		{"", "csv", render.CSV},
	} {
		got, err := render.Negotiate(c.accept, c.param)
		require.NoError(t, err, c)
		require.Equal(t, c.want, got, c)
	}
	for _, accept := range []string{"image/png", "application/json;q=0", "*/*;q=0", "text/html", ",", "application/problem+json"} {
		_, err := render.Negotiate(accept, "")
		require.Equal(t, fault.NotAcceptable, fault.KindOf(err), accept)
	}
	_, err := render.Negotiate("", "xml")
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, `format: "xml" is no format; allowed are json, csv, ndjson and arrow`)
}
