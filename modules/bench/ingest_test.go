package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// batchItems is the size of a batch: 1,000 items of two values.
const (
	batchItems  = 1000
	batchValues = batchItems * len(metrics)
	senders     = 16
)

// share returns the devices of one of n clients: all clients together have the fleet.
func share(client, n int) (devices []int) {
	for d := client; d < fleet; d += n {
		devices = append(devices, d)
	}
	return devices
}

// sender posts the readings of its devices, each request where the last one ended.
type sender struct {
	*client
	templates [][]byte
	stamps    [][]stamp
	next      int
	ts, span  int64 // of the next request
}

// newSender returns a sender of requests with the given number of items. It has a few ready-made ones, of which only the timestamps
// change.
func newSender(b testing.TB, p *program, devices []int, items int) *sender {
	random := rand.New(rand.NewPCG(1, uint64(devices[0])))
	rounds := (items + len(devices) - 1) / len(devices)
	s := &sender{client: p.client(b), ts: dataStart, span: int64(rounds) * step}
	for i := range 8 {
		body := makeBody(devices, items, dataStart+int64(i)*hour, random)
		request, at := p.post(body.text)
		for k := range body.stamps {
			body.stamps[k].at += at
		}
		s.templates, s.stamps = append(s.templates, request), append(s.stamps, body.stamps)
	}
	return s
}

// send posts the next batch. Told by a 503 that more comes than is folded, it sends it again a moment later, as devices do: the figure
// is what the program keeps up with.
func (s *sender) send() error {
	i := s.next % len(s.templates)
	setStamps(s.templates[i], s.stamps[i], s.ts)
	s.next++
	s.ts += s.span
	for {
		err := s.call(s.templates[i])
		if !errors.Is(err, errUnavailable) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// copier commits the same readings as a sender, by COPY into the plain table.
type copier struct {
	conn     *pgx.Conn
	rows     []byte
	after    []int64 // of each row
	ts, span int64
}

func newCopier(conn *pgx.Conn, devices []int) *copier {
	random := rand.New(rand.NewPCG(1, uint64(devices[0])))
	rounds := (batchItems + len(devices) - 1) / len(devices)
	c := &copier{conn: conn, rows: slices.Clone(copyHeader), ts: dataStart, span: int64(rounds) * step}
	for i := range batchItems {
		device, after := devices[i%len(devices)], int64(i/len(devices))*step
		for k := range metrics {
			c.rows = appendRow(c.rows, 2*device+k, dataStart+after, value(2*device+k, dataStart+after, random))
			c.after = append(c.after, after)
		}
	}
	c.rows = append(c.rows, copyEnd...)
	return c
}

func (c *copier) send() error {
	for i, after := range c.after {
		setRowTime(c.rows[len(copyHeader)+i*rowBytes:], c.ts+after)
	}
	c.ts += c.span
	_, err := c.conn.PgConn().CopyFrom(context.Background(), bytes.NewReader(c.rows), copyPlain)
	return err
}

// BenchmarkIngestBatches posts JSON batches of 1,000 × 2 values from 16 clients, beside COPY in commits of that size.
func BenchmarkIngestBatches(b *testing.B) {
	cfg := shared.database(b)
	p := runProgram(b, cfg)
	p.login(b)
	conns := connectAll(b, cfg, 4)
	admin, copyConns := conns[0], conns[1:]
	execute(b, admin, createPlain)
	var post []func() error
	var clients []*sender
	for i := range senders {
		s := newSender(b, p, share(i, senders), batchItems)
		clients, post = append(clients, s), append(post, s.send)
	}
	var copies []func() error // each of series of its own, so that no key is used twice
	for i, conn := range copyConns {
		copies = append(copies, newCopier(conn, share(i, len(copyConns))).send)
	}
	require.NoError(b, post[0]()) // the series exist from now on
	before, _ := memory(p.cmd.Process.Pid)
	rate := func(calls []func() error) float64 {
		settle(b, admin)
		return float64(batchValues) * hammer(b, *span, calls)
	}
	var resident samples // after each turn
	medians := compare(b, "values/s",
		contender{"", func() float64 {
			result := rate(post)
			after, _ := memory(p.cmd.Process.Pid)
			resident = append(resident, after)
			return result
		}},
		contender{"copy1", func() float64 { return rate(copies[:1]) }},
		contender{"copy2", func() float64 { return rate(copies[1:]) }},
	)
	batchesGoal.is(medians[0], "/s: COPY in such commits, 2 connections", medians[2])
	if n := len(resident); n >= 3 {
		ingestMemory.is(resident[n-1]/resident[0], "", 0)
	}
	_, peak := memory(p.cmd.Process.Pid)
	b.ReportMetric(before, "start-MiB")
	b.ReportMetric(resident[0], "first-turn-MiB")
	b.ReportMetric(resident[len(resident)-1], "last-turn-MiB")
	b.ReportMetric(peak, "peak-MiB")
	settle(b, admin)
	sent := 0
	for _, c := range clients {
		sent += c.next * batchValues
	}
	folded := number(b, admin, `SELECT coalesce(sum(count), 0) FROM reading_chunks`)
	unfolded := number(b, admin, `SELECT coalesce(sum(count), 0) FROM reading_log, log_state WHERE seq > folded_seq`)
	require.EqualValues(b, sent, folded+unfolded, "what was acknowledged is stored")
	b.ReportMetric(100*float64(folded)/float64(sent), "%folded")
}

// settle waits until no fold is under way and writes out what PostgreSQL holds in memory, so that one contender does not
// pay for another.
func settle(b testing.TB, admin *pgx.Conn) {
	b.Helper()
	const folded = `SELECT folded_seq FROM log_state`
	for last := number(b, admin, folded); ; {
		time.Sleep(1500 * time.Millisecond)
		now := number(b, admin, folded)
		busy := number(b, admin, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE '%in transaction%'`)
		if now == last && busy == 0 {
			break
		}
		last = now
	}
	execute(b, admin, `CHECKPOINT`)
}

// BenchmarkIngestSingles posts one reading a request, beside SQL inserts of one row by 16 connections.
func BenchmarkIngestSingles(b *testing.B) {
	cfg := shared.database(b)
	p := runProgram(b, cfg)
	p.login(b)
	admin := connectAll(b, cfg, 1)[0]
	execute(b, admin, createPlain)
	for _, n := range []int{16, 200} {
		b.Run(fmt.Sprintf("%d-clients", n), func(b *testing.B) {
			execute(b, admin, `TRUNCATE plain`)
			var post, insert []func() error
			for i := range n {
				s := newSingle(b, p, i)
				post = append(post, s.send)
				require.NoError(b, s.send()) // the series exists from now on
			}
			for i, conn := range connectAll(b, cfg, 16) {
				insert = append(insert, inserting(conn, i))
			}
			rate := func(calls []func() error) func() float64 {
				return func() float64 {
					settle(b, admin)
					return hammer(b, *span, calls)
				}
			}
			const batches, readings = `SELECT max(seq) FROM reading_log`, `SELECT coalesce(sum(count), 0) FROM reading_log`
			commits, posted := number(b, admin, batches), number(b, admin, readings)
			medians := compare(b, "requests/s", contender{"", rate(post)}, contender{"insert16", rate(insert)})
			reached := map[int]*goal{16: singlesGoal, 200: manySinglesGoal}[n]
			reached.is(medians[0], "/s: SQL inserts, 16 connections", medians[1])
			commits, posted = number(b, admin, batches)-commits, number(b, admin, readings)-posted
			b.ReportMetric(float64(posted)/float64(commits), "requests/commit")
		})
	}
}

// single posts one value a request, of a series of its own.
type single struct {
	*client
	request []byte
	stamps  []stamp
	ts      int64
}

func newSingle(b testing.TB, p *program, i int) *single {
	text := `{"readings":[{"device":"` + deviceName(i%fleet) + `","ts":`
	s := &single{client: p.client(b), ts: time.Now().UnixMilli()}
	request, at := p.post([]byte(text + `0000000000000,"values":{"` + metrics[i/fleet%len(metrics)] + `":21.5}}]}`))
	s.request, s.stamps = request, []stamp{{at: at + len(text)}}
	return s
}

func (s *single) send() error {
	s.ts += 10
	setStamps(s.request, s.stamps, s.ts)
	return s.call(s.request)
}

// inserting returns a call that inserts one row after another of a series.
func inserting(conn *pgx.Conn, series int) func() error {
	ts := time.UnixMilli(dataStart)
	return func() error {
		ts = ts.Add(step * time.Millisecond)
		_, err := conn.Exec(context.Background(), `INSERT INTO plain VALUES ($1, $2, $3)`, series, ts, 21.5)
		return err
	}
}
