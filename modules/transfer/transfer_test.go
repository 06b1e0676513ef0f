package transfer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/transfer"
)

// table is CSV in the long form: readings of some devices, each at as many instants as given.
func table(devices, instants int) string {
	var text strings.Builder
	text.WriteString("device,metric,ts,value\n")
	for ts := range instants {
		for device := range devices {
			fmt.Fprintf(&text, "device-%d,temperature,%d,%g\n", device, 1_762_128_000_000+1000*ts, float64(ts%500)/10)
		}
	}
	return text.String()
}

func zipped(t testing.TB, parts ...string) string {
	t.Helper()
	var out bytes.Buffer
	for _, part := range parts { // each a member of its own
		w := gzip.NewWriter(&out)
		_, err := io.WriteString(w, part)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	return out.String()
}

func TestImport_TakesEveryFormat(t *testing.T) {
	t.Parallel()
	s := program(t)
	for _, c := range []struct {
		name, text string
		opts       transfer.Options
		want       string
	}{
		{"wide", "\xef\xbb\xbfts,device,temperature,open\n1762128001000,wide,21.5,true\n\n1762128002000,wide,,0\n", transfer.Options{}, "wide,open,2025-11-03T00:00:01.000Z,1\n" +
			"wide,open,2025-11-03T00:00:02.000Z,0\nwide,temperature,2025-11-03T00:00:01.000Z,21.5\n"},
		{"long", "device,metric,ts,value\r\nlong,m,2025-11-03T00:00:01Z,-1e-3\r\n", transfer.Options{}, "long,m,2025-11-03T00:00:01.000Z,-0.001\n"},
		{
			"items", `{"device":"items","ts":1762128001000,"values":{"a":1,"b":2}}` + "\n\n" + `{"values":{"a":3},"ts":1762128002000,"device":"it\u0065ms"}`,
			transfer.Options{},
			"items,a,2025-11-03T00:00:01.000Z,1\nitems,a,2025-11-03T00:00:02.000Z,3\nitems,b,2025-11-03T00:00:01.000Z,2\n",
		},
		{
			"rows.gz", zipped(t, `{"device":"rows.gz","metric":"m","ts":1762128001000,"value":1}`+"\n", `{"device":"rows.gz","metric":"m","ts":1762128002000,"value":2}`),
			transfer.Options{},
			"rows.gz,m,2025-11-03T00:00:01.000Z,1\nrows.gz,m,2025-11-03T00:00:02.000Z,2\n",
		},
		{
			"lines", "# a comment\nm,host=lines,cpu=0 f=1,g=\"t\next\" 1762128001000000000\nm,id=lines value=2 1762128002000000000",
			transfer.Options{DeviceTags: []string{"host", "id"}},
			"lines,m,2025-11-03T00:00:02.000Z,2\nlines,m.f;cpu=0,2025-11-03T00:00:01.000Z,1\n",
		},
		{"cased", "Device_ID,Timestamp,m\ncased,1762128001000,1\n", transfer.Options{}, "cased,m,2025-11-03T00:00:01.000Z,1\n"},
		{
			"exported", "# INFLUXDB EXPORT: 1677-09-21T00:12:43Z - 2262-04-11T23:47:16Z\n# DDL\nCREATE DATABASE exported WITH NAME autogen\n# DML\n" +
				"# CONTEXT-DATABASE:exported\n# CONTEXT-RETENTION-POLICY:autogen\n# writing tsm data\nm,x=1 value=1 1762128001000000000\nm,host=exported value=2 1762128002000000000\n",
			transfer.Options{},
			"exported,m,2025-11-03T00:00:02.000Z,2\nexported,m;x=1,2025-11-03T00:00:01.000Z,1\n",
		},
		{"seconds", "m,device=seconds value=1 1762128001", transfer.Options{Precision: "s", Format: transfer.Lines}, "seconds,m,2025-11-03T00:00:01.000Z,1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.opts.Precision == "" {
				c.opts.Precision = "ns"
			}
			path := write(t, c.name, c.text)
			_, report := load(t, s, c.opts, path)
			require.Empty(t, report.rejects)
			require.Equal(t, int64(len(c.text)), report.read)
			got := dumpTo(t, s, transfer.Selection{Devices: []string{c.name}, Format: transfer.CSV}, path+".csv")
			require.Equal(t, "device,metric,ts,value\n"+c.want, string(got))
			left, err := filepath.Glob(path + ".telltale*")
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
	done, err := transfer.Import(t.Context(), s, transfer.Options{}, []string{"-"}, strings.NewReader("device,m\nstdin,1\n"), &notes{})
	require.NoError(t, err)
	require.Equal(t, transfer.Summary{Stored: 1}, done)
	done, _ = load(t, s, transfer.Options{}, write(t, "empty", ""))
	require.Zero(t, done)
}

func TestExport_CanBeImportedAndIsTheSame(t *testing.T) {
	t.Parallel()
	first, second, third := program(t), program(t), program(t)
	done, _ := load(t, first, transfer.Options{Parallel: 4, Batch: 700}, write(t, "in.csv", table(3, 2_000)))
	require.Equal(t, transfer.Summary{Stored: 6_000}, done)
	load(t, first, transfer.Options{}, write(t, "more.csv", "device,ts,a,b\nÄtna-7,31536000000,1e300,-0.1\nÄtna-7,7258118399999,5e-324,9007199254740993\n"))
	everything := transfer.Selection{Format: transfer.CSV, To: "7258118400000", Page: 1_000}
	asCSV := dumpTo(t, first, everything, filepath.Join(t.TempDir(), "a.csv"))
	everything.Format = transfer.NDJSON
	asNDJSON := filepath.Join(t.TempDir(), "a.ndjson.gz")
	dumpTo(t, first, everything, asNDJSON)

	load(t, second, transfer.Options{Parallel: 4, Batch: 700}, write(t, "a.csv", string(asCSV)))
	load(t, third, transfer.Options{Parallel: 2}, asNDJSON)
	everything.Format = transfer.CSV
	require.Equal(t, string(asCSV), string(dumpTo(t, second, everything, filepath.Join(t.TempDir(), "b.csv"))))
	require.Equal(t, string(asCSV), string(dumpTo(t, third, everything, filepath.Join(t.TempDir(), "c.csv"))))
	require.Equal(t, 6_005, strings.Count(string(asCSV), "\n"))
}

func TestImport_LaterRecordsOfADeviceCorrectEarlierOnes(t *testing.T) {
	t.Parallel()
	s := program(t)
	var text, want strings.Builder
	text.WriteString("device,ts,m\n")
	for round := range 20 {
		for device := range 200 {
			fmt.Fprintf(&text, "device-%03d,1762128001000,%d\n", device, round)
		}
	}
	want.WriteString("device,metric,ts,value\n")
	for device := range 200 {
		fmt.Fprintf(&want, "device-%03d,m,2025-11-03T00:00:01.000Z,19\n", device)
	}
	load(t, s, transfer.Options{Parallel: 8, Batch: 50}, write(t, "rounds.csv", text.String()))
	require.Equal(t, want.String(), dump(t, s, transfer.CSV))
}

func TestImport_NamesRecordsThatAreNotValidByTheirLines(t *testing.T) {
	t.Parallel()
	s := program(t)
	const csv = "device,ts,m\na,1762128000001,1\n\na,1762128000002,x\n\"a\nb\",1762128000003,1\na,1762128000004,4\n"
	_, err := transfer.Import(t.Context(), s, transfer.Options{}, []string{write(t, "bad.csv", csv)}, nil, &notes{})
	require.ErrorContains(t, err, "2 records are not valid, and nothing between the lines 2 and 7 was stored")
	require.Equal(t, "device,metric,ts,value\n", dump(t, s, transfer.CSV))

	done, report := load(t, s, transfer.Options{Skip: true}, write(t, "bad.csv", csv))
	require.Equal(t, transfer.Summary{Stored: 2, Rejected: 2}, done)
	require.Equal(t, []string{
		`4: values.m "x" is no value; give a finite number with a decimal point, true, false or nothing`,
		`5: device must not contain spaces or unprintable characters such as U+000A`,
	}, report.rejects)

	done, report = load(t, s, transfer.Options{Skip: true}, write(t, "bad.ndjson", `{"device":"a","ts":1762128000005,"values":{"m":5}}`+"\n\n{\n"+`{"device":"a","metric":"m","ts":-1,"value":1}`))
	require.Equal(t, transfer.Summary{Stored: 1, Rejected: 2}, done)
	require.Len(t, report.rejects, 2)
	require.Contains(t, report.rejects[0], "3: ")
	require.Contains(t, report.rejects[1], "4: ts ")

	lines := "# first\nm,device=a value=6 1762128000006\nm,device=a s=\"a\nb\",value=7 1762128000007\nm value=1 1762128000001\nm,device=a value=x 1762128000008\n"
	_, err = transfer.Import(t.Context(), s, transfer.Options{Precision: "ms"}, []string{write(t, "bad.lines", lines)}, nil, &notes{})
	require.ErrorContains(t, err, "2 records are not valid, and nothing between the lines 2 and 6 was stored")
	done, report = load(t, s, transfer.Options{Precision: "ms", Skip: true}, write(t, "bad.lines", lines+strings.Repeat("m value=1\n", 1000)))
	require.Equal(t, transfer.Summary{Stored: 2, Rejected: 1002}, done)
	require.Equal(t, []string{
		"5: no tag names the device: it takes host or device",
		"6: it is not line protocol: at column 18, field value has unrecognized type",
	}, report.rejects[:2])
	require.Equal(t, 902, report.more)
	require.Equal(t, 6, strings.Count(dump(t, s, transfer.CSV), "\n"))
}

func TestTimestamp_OfARecordInAnotherUnitIsNamedByItsLine(t *testing.T) {
	t.Parallel()
	s := program(t)
	for name, c := range map[string]struct{ precision, text, want string }{
		"a.csv":    {"ns", "device,ts,m\na,1793534400000,1\na,1793534400,2\n", "3: ts "},
		"a.ndjson": {"ns", `{"device":"a","ts":1793534400,"values":{"m":1}}`, "1: ts "},
		"a.lines":  {"ns", "# note\nm,device=a value=1 1793534400\n", "2: the time "},
		"b.lines":  {"ms", "m,device=a value=1 1793534400\n", "1: the time "},
	} {
		_, report := load(t, s, transfer.Options{Skip: true, Precision: c.precision}, write(t, name, c.text))
		require.Len(t, report.rejects, 1, name)
		require.Contains(t, report.rejects[0], c.want)
		require.Contains(t, report.rejects[0], "it looks like seconds: ")
	}
}

// A file may end in the middle of a line, because it was cut there, and another may go on behind it.
func TestImport_OfALineThatOpensQuotesTakesNoOthersWithIt(t *testing.T) {
	t.Parallel()
	s := program(t)
	lines := "m,device=a value=1 1762128000001\nm,device=a s=\"cut\n" + strings.Repeat("m,device=a value=2 1762128000002\n", 5_000) + "m,device=a value=3 1762128000003\nm,device=a s=\"end"
	_, err := transfer.Import(t.Context(), s, transfer.Options{Precision: "ms"}, []string{write(t, "cut.lines", lines)}, nil, &notes{})
	require.ErrorContains(t, err, "line 2 opens quotes that are never closed")
	done, report := load(t, s, transfer.Options{Precision: "ms", Skip: true}, write(t, "cut.lines", lines))
	require.Equal(t, transfer.Summary{Stored: 5_002, Rejected: 2}, done)
	require.Equal(t, []string{"2: opens quotes that are never closed", "5004: opens quotes that are never closed"}, report.rejects)
	require.Equal(t, 4, strings.Count(dump(t, s, transfer.CSV), "\n"))
}

func TestImport_WaitsForAServerThatIsBusyOrAway(t *testing.T) {
	t.Parallel()
	s := program(t)
	busy := through(t, s, func(n int, w http.ResponseWriter, r *http.Request) bool {
		switch n % 4 {
		case 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader([]int{503, 429, 504}[n/4%3])
		case 2:
			return false
		case 3: // stored, but the answer is lost
			recorder := &silent{header: http.Header{}}
			forward(t, s, recorder, r)
			conn, _, err := w.(http.Hijacker).Hijack()
			require.NoError(t, err)
			require.NoError(t, conn.Close())
		default:
			return false
		}
		return true
	})
	done, _ := load(t, busy, transfer.Options{Parallel: 2, Batch: 100}, write(t, "in.csv", table(2, 1_000)))
	require.Equal(t, transfer.Summary{Stored: 2_000}, done)
	require.Equal(t, 2_001, strings.Count(dump(t, s, transfer.CSV), "\n"))

	_, err := transfer.Import(t.Context(), transfer.Server{URL: "http://127.0.0.1:1", Token: "x"}, transfer.Options{}, []string{write(t, "in.csv", table(1, 1))}, nil, &notes{})
	require.ErrorContains(t, err, "connection refused", "a wrong address is not waited for")
	stranger := s
	stranger.Token = "nobody"
	_, err = transfer.Import(t.Context(), stranger, transfer.Options{Skip: true}, []string{write(t, "in.lines", "m,device=a value=1")}, nil, &notes{})
	require.ErrorContains(t, err, "the server answered 401 (Unauthorized): ")
	require.NotContains(t, err.Error(), "nobody")
}

// silent is an answer that goes nowhere.
type silent struct{ header http.Header }

func (s *silent) Header() http.Header         { return s.header }
func (s *silent) Write(p []byte) (int, error) { return len(p), nil }
func (s *silent) WriteHeader(int)             {}

func forward(t testing.TB, s transfer.Server, w http.ResponseWriter, r *http.Request) {
	t.Helper()
	request, err := http.NewRequestWithContext(r.Context(), r.Method, s.URL+r.URL.RequestURI(), r.Body)
	require.NoError(t, err)
	request.Header = r.Header.Clone()
	response, err := s.HTTP.Do(request)
	require.NoError(t, err)
	_, err = io.Copy(w, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
}

func TestImport_ThatIsInterruptedGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	for name, pack := range map[string]func(text string) string{
		"plain": func(text string) string { return text },
		"gzip":  func(text string) string { return zipped(t, text) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := program(t)
			const records = 20 * 2_000
			path := write(t, "in", pack(table(20, 2_000)))
			ctx, cancel := context.WithCancel(t.Context())
			gate := through(t, s, func(n int, _ http.ResponseWriter, _ *http.Request) bool {
				if n == 25 {
					cancel()
				}
				return false
			})
			_, err := transfer.Import(ctx, gate, transfer.Options{Parallel: 3, Batch: 1_000}, []string{path}, nil, &notes{})
			require.ErrorIs(t, err, context.Canceled)
			require.FileExists(t, path+".telltale-import")
			done, report := load(t, gate, transfer.Options{Parallel: 3, Batch: 1_000}, path)
			require.True(t, report.resumed)
			require.Less(t, done.Stored, records*3/4, "it began from the start")
			require.NoFileExists(t, path+".telltale-import")
			require.Equal(t, records+1, strings.Count(dump(t, s, transfer.CSV), "\n"))

			// Of another file, what was left says nothing.
			require.NoError(t, os.WriteFile(path+".telltale-import", []byte(`{"size":1,"done":{"offset":100,"line":9}}`), 0o600))
			done, report = load(t, gate, transfer.Options{}, path)
			require.False(t, report.resumed)
			require.Equal(t, records, done.Stored)
		})
	}
}

func TestExport_ThatIsInterruptedGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	s := program(t)
	load(t, s, transfer.Options{Parallel: 2}, write(t, "in.csv", table(8, 2_000)))
	for _, format := range []transfer.Format{transfer.CSV, transfer.NDJSON} {
		for _, name := range []string{"out", "out.gz"} {
			what := transfer.Selection{Format: format, From: "2025-01-01T00:00:00Z", Page: 5_000}
			path := filepath.Join(t.TempDir(), name)
			var works atomic.Bool
			gate := through(t, s, func(n int, w http.ResponseWriter, _ *http.Request) bool {
				if n == 4 && !works.Load() {
					w.WriteHeader(http.StatusInternalServerError)
					return true
				}
				return false
			})
			_, err := transfer.Export(t.Context(), gate, what, path, false, io.Discard, func(int64) {})
			require.ErrorContains(t, err, "500")
			require.FileExists(t, path+".telltale-export")
			file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = file.WriteString("half a li")
			require.NoError(t, err)
			require.NoError(t, file.Close())

			var pages int
			works.Store(true)
			count, err := transfer.Export(t.Context(), gate, what, path, false, io.Discard, func(int64) { pages++ })
			require.NoError(t, err)
			require.Equal(t, int64(16_000), count)
			require.Equal(t, 2, pages, "of four")
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			want := dumpTo(t, s, transfer.Selection{Format: format, From: what.From, Page: 5_000}, filepath.Join(t.TempDir(), name))
			require.True(t, bytes.Equal(want, got))

			_, err = transfer.Export(t.Context(), gate, what, path, false, io.Discard, func(int64) {})
			require.ErrorContains(t, err, "is there already")
			_, err = transfer.Export(t.Context(), gate, transfer.Selection{Format: format, Devices: []string{"none"}}, path, true, io.Discard, func(int64) {})
			require.NoError(t, err)
		}
	}
	_, err := transfer.Export(t.Context(), s, transfer.Selection{Format: transfer.CSV, From: "someday"}, filepath.Join(t.TempDir(), "x"), false, io.Discard, nil)
	require.ErrorContains(t, err, "the server answered 422 (Unprocessable Entity)")
	var out bytes.Buffer
	_, err = transfer.Export(t.Context(), s, transfer.Selection{Format: transfer.CSV, Devices: []string{"device-1"}, To: "2025-11-03T00:00:02Z"}, "-", false, &out, func(int64) {})
	require.NoError(t, err)
	require.Equal(t, "device,metric,ts,value\ndevice-1,temperature,2025-11-03T00:00:00.000Z,0\ndevice-1,temperature,2025-11-03T00:00:01.000Z,0.1\n", out.String())
}
