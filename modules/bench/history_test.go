package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// readAt is the day that benchmarks of raw readings ask for.
var readAt = dataStart + 3*day

// ask returns the request for the history of one metric of the devices given.
func ask(p *program, devices []int, from, to int64, further ...string) []byte {
	query := url.Values{"metric": {metrics[1]}, "from": {strconv.FormatInt(from, 10)}, "to": {strconv.FormatInt(to, 10)}}
	for _, d := range devices {
		query.Add("device", deviceName(d))
	}
	for i := 0; i < len(further); i += 2 {
		query.Add(further[i], further[i+1])
	}
	return p.get("/api/readings", query)
}

// everyone is the whole fleet.
func everyone() []int { return share(0, 1) }

// countPoints returns how many points an answer has.
func countPoints(b testing.TB, answer []byte) (n int) {
	b.Helper()
	var history struct {
		Series []struct{ Points [][]float64 }
	}
	require.NoError(b, json.Unmarshal(answer, &history))
	for _, s := range history.Series {
		n += len(s.Points)
	}
	return n
}

// timed returns how often one turn repeats a measurement in the order of a tenth of a second.
const timed = 9

// BenchmarkHistoryRaw reads a day of 100 devices as JSON, beside binary COPY of the same from the plain table, and bare
// bytes of the answer's size.
func BenchmarkHistoryRaw(b *testing.B) {
	p := data.serve(b)
	request := ask(p, everyone(), readAt, readAt+day)
	text := p.ask(b, request)
	require.Equal(b, fleet*day/step, countPoints(b, text))
	c, bare := p.client(b), bareServer(b, len(text))
	conn := connectAll(b, data.cfg, 1)[0]
	var first samples
	medians := compare(b, "ms",
		contender{"", func() float64 {
			return repeated(b, timed, func() error {
				answer, err := c.do(request)
				first = append(first, ms(answer.first))
				return err
			})
		}},
		contender{"copy", func() float64 {
			return copying(b, conn, fmt.Sprintf(`SELECT series, ts, value FROM plain WHERE series = ANY(%s) AND ts >= %s AND ts < %s ORDER BY series, ts`,
				temperatures(), instant(readAt), instant(readAt+day)))
		}},
		contender{"bare", func() float64 { return repeated(b, timed, bare) }},
	)
	b.ReportMetric(first.at(0.5), "first-byte-ms")
	b.ReportMetric(float64(len(text)), "bytes")
	rawGoal.is(medians[0], "ms: binary COPY of the rows", medians[1])
	rawShareGoal.is(medians[0]/medians[1], "", 0)
}

// copying measures how long it takes to read the answer to a query by binary COPY, in ms.
func copying(b *testing.B, conn *pgx.Conn, query string) float64 {
	b.Helper()
	return repeated(b, timed, func() error {
		_, err := conn.PgConn().CopyTo(context.Background(), io.Discard, `COPY (`+query+`) TO STDOUT (FORMAT binary)`)
		return err
	})
}

// bareServer returns a call that has a server send the given number of ready-made bytes over loopback and reads them.
func bareServer(b testing.TB, size int) func() error {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		text, ring := make([]byte, size), make([]byte, 1)
		for {
			if _, err := io.ReadFull(conn, ring); err != nil {
				return
			}
			if _, err := conn.Write(text); err != nil {
				return
			}
		}
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(b, err)
	b.Cleanup(func() { _, _ = conn.Close(), l.Close(); <-served })
	buffer := make([]byte, 128<<10)
	return func() error {
		if _, err := conn.Write([]byte{1}); err != nil {
			return err
		}
		for n := 0; n < size; {
			k, err := conn.Read(buffer)
			if err != nil {
				return err
			}
			n += k
		}
		return nil
	}
}

// BenchmarkHistoryHourly reads hourly averages of 100 devices over seven days, beside SQL over the plain table.
func BenchmarkHistoryHourly(b *testing.B) {
	p := data.serve(b)
	request := ask(p, everyone(), dataStart, dataStart+days*day, "interval", "1h", "agg", "avg")
	text := p.ask(b, request)
	require.Equal(b, fleet*days*24, countPoints(b, text))
	c, conn := p.client(b), connectAll(b, data.cfg, 1)[0]
	var first samples
	medians := compare(b, "ms",
		contender{"", func() float64 {
			return repeated(b, timed, func() error {
				answer, err := c.do(request)
				first = append(first, ms(answer.first))
				return err
			})
		}},
		contender{"sql", func() float64 {
			query := fmt.Sprintf(`COPY (SELECT series, date_trunc('hour', ts), avg(value) FROM plain WHERE series = ANY(%s) AND ts >= %s AND ts < %s GROUP BY 1, 2) TO STDOUT (FORMAT binary)`,
				temperatures(), instant(dataStart), instant(dataStart+days*day))
			return repeated(b, 1, func() error {
				_, err := conn.PgConn().CopyTo(context.Background(), io.Discard, query)
				return err
			})
		}},
	)
	b.ReportMetric(first.at(0.5), "first-byte-ms")
	b.ReportMetric(float64(len(text)), "bytes")
	hourlyGoal.is(medians[0], "ms: SQL over rows", medians[1])
}

// BenchmarkHistoryOneDevice reads a day of one device, another each time, with 16 clients, beside the same SQL by 10
// connections.
func BenchmarkHistoryOneDevice(b *testing.B) {
	p := data.serve(b)
	require.Equal(b, day/step, countPoints(b, p.ask(b, ask(p, []int{42}, readAt, readAt+day))))
	var requests [][]byte
	for d := range fleet {
		requests = append(requests, ask(p, []int{d}, readAt, readAt+day))
	}
	var api, sql []func() error
	for i := range senders {
		c, random := p.client(b), rand.New(rand.NewPCG(2, uint64(i)))
		api = append(api, func() error { return c.call(requests[random.IntN(fleet)]) })
	}
	for i, conn := range connectAll(b, data.cfg, 10) {
		random := rand.New(rand.NewPCG(2, uint64(i)))
		sql = append(sql, func() error { return plainDay(conn, 2*random.IntN(fleet)+1) })
	}
	medians := compare(b, "requests/s",
		contender{"", func() float64 { return hammer(b, *span/2, api) }},
		contender{"sql10", func() float64 { return hammer(b, *span/2, sql) }},
	)
	oneDeviceGoal.is(medians[0], "/s: the same SQL alone, 10 connections", medians[1])
}

// plainDay reads a day of a series, its rows not even looked at.
func plainDay(conn *pgx.Conn, series int) error {
	rows, err := conn.Query(context.Background(), `SELECT ts, value FROM plain WHERE series = $1 AND ts >= $2 AND ts < $3 ORDER BY ts`,
		series, time.UnixMilli(readAt), time.UnixMilli(readAt+day))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		rows.RawValues()
	}
	return rows.Err()
}
