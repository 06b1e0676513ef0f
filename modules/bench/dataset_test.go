package bench

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
)

// days is how much of the fleet's data there is to read: 12 million readings.
const days = 7

// dataset is the fleet's data, in the program's tables (folded) and in the plain one, which several benchmarks read.
type dataset struct {
	cfg     config.DB
	loaded  bool
	running *program
}

var data dataset

// serve returns the program running on the data, which is loaded first unless it has been.
func (d *dataset) serve(b testing.TB) *program {
	b.Helper()
	if !d.loaded {
		d.cfg = shared.database(b)
		d.load(b)
		d.loaded = true
	}
	if d.running == nil {
		d.running = startProgram(b, d.cfg)
		d.running.login(b)
	}
	return d.running
}

func (d *dataset) close() error {
	if d.running != nil {
		d.running.stop()
		d.running = nil
	}
	return nil
}

// load posts the data through the API of a program that folds all the time, and copies it into the plain table.
func (d *dataset) load(b testing.TB) {
	b.Helper()
	p := startProgram(b, d.cfg, "FOLD_READINGS=1000000")
	defer p.stop()
	p.login(b)
	admin := connect(b, d.cfg)
	defer admin.Close(context.Background())
	execute(b, admin, `CREATE TABLE plain (series integer, ts timestamptz, value float8)`)
	began := time.Now()
	d.post(b, p)
	b.Logf("posted %d days in %s", days, time.Since(began))
	began = time.Now()
	for i := range days {
		copyDay(b, admin, dataStart+int64(i)*day)
	}
	execute(b, admin, `ALTER TABLE plain ADD PRIMARY KEY (series, ts)`)
	b.Logf("copied %d days in %s", days, time.Since(began))
	p.stop()
	p = startProgram(b, d.cfg, "FOLD_READINGS=1") // folds whatever is left
	defer p.stop()
	require.Eventually(b, func() bool {
		return number(b, admin, `SELECT count(*) FROM reading_log, log_state WHERE seq > folded_seq`) == 0
	}, patience, 100*time.Millisecond)
	require.EqualValues(b, 2*fleet*days*day/step, number(b, admin, `SELECT sum(count) FROM reading_chunks`))
	execute(b, admin, `VACUUM ANALYZE`)
	execute(b, admin, `CHECKPOINT`)
}

// post sends the data, half an hour of the fleet a request.
func (d *dataset) post(b testing.TB, p *program) {
	b.Helper()
	var devices []int
	for i := range fleet {
		devices = append(devices, i)
	}
	random := rand.New(rand.NewPCG(1, 1))
	c := p.client(b)
	const stretch = hour / 2
	for ts := dataStart; ts < dataStart+days*day; ts += stretch {
		request, _ := p.post(makeBody(devices, fleet*stretch/step, ts, random).text)
		require.NoError(b, c.call(request))
	}
}

// copyDay writes a day of every series into the plain table.
func copyDay(b testing.TB, conn *pgx.Conn, start int64) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, uint64(start)))
	rows := append(make([]byte, 0, 2*fleet*day/step*rowBytes+100), copyHeader...)
	for ts := start; ts < start+day; ts += step {
		for series := range 2 * fleet {
			rows = appendRow(rows, series, ts, value(series, ts, random))
		}
	}
	_, err := conn.PgConn().CopyFrom(context.Background(), bytes.NewReader(append(rows, copyEnd...)), copyPlain)
	require.NoError(b, err)
}

// temperatures are the plain table's ids of the second metric of each device, as an array in SQL.
func temperatures() string {
	text := []byte("'{")
	for i := range fleet {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, int64(2*i+1), 10)
	}
	return string(text) + "}'"
}

// instant returns Unix ms as a literal in SQL.
func instant(ts int64) string {
	return "'" + time.UnixMilli(ts).UTC().Format("2006-01-02T15:04:05.000Z") + "'"
}
