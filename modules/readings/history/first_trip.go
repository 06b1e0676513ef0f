package history

import (
	"context"
	"fmt"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/scan"

	"github.com/jackc/pgx/v5"
)

// fewChunks is how many chunks a query may open without having been estimated first. To read so few costs about as much
// as a round trip.
const fewChunks = 64

// opensFew reports whether the query opens no more than fewChunks of a number of series.
func (q Query) opensFew(series int) bool { return (q.To-q.From)/chunk.Hour*int64(series) <= fewChunks }

// firstTrip is the first round trip of a query: what decides how it is answered and, where they are few, its chunks.
// The statements run in the order of the fields, each with a snapshot of its own.
type firstTrip struct {
	head    bool // asks whether the window holds everything that the log does
	survey  bool
	chunks  bool
	results pgx.BatchResults

	engine *Engine
	pause  *scan.Pause
	scan   *scan.Scan // whose chunks came; nil when none did
}

// firstTrip sends the first statements of a query. Its results must be closed.
func (e *Engine) firstTrip(ctx context.Context, from source, pause *scan.Pause, reached bool) *firstTrip {
	n := len(from.series)
	count := n > 0 && e.mustCount(from.query, n)
	f := &firstTrip{
		head: !reached, survey: n > 0 && (from.query.Versioned || count),
		chunks: n > 0 && !count && from.query.opensFew(n),
		engine: e, pause: pause,
	}
	var batch pgx.Batch
	if f.head {
		batch.Queue(batchlog.SelectHead)
	}
	if f.survey {
		query, args := from.query.survey(from.recent.Series)
		batch.Queue(query, args...)
	}
	if f.chunks { // a query that need not be counted is not changed by its plan
		f.scan = e.scan(from, pause)
		query, args := f.scan.Statement()
		batch.Queue(query, args...)
	}
	if batch.Len() > 0 {
		f.results = e.db.SendBatch(ctx, &batch)
	}
	return f
}

// close reads what has not been read and gives the connection back.
func (f *firstTrip) close() {
	if f.results != nil {
		_ = f.results.Close()
	}
}

// decide reads what comes before the chunks. The error is ErrBehind when the window is older than the call. Without
// chunks to come the connection goes back: what follows may need one.
func (f *firstTrip) decide(from source) (found survey, err error) {
	if f.head {
		var head int64
		if err := f.results.QueryRow().Scan(&head); err != nil {
			return found, fmt.Errorf("reading the log's head: %w", err)
		}
		if head > from.recent.Head {
			return found, scan.ErrBehind
		}
	}
	if f.survey {
		found, err = readSurvey(f.results.QueryRow(), from.query, from.recent)
	}
	if !f.chunks {
		f.close()
	}
	return found, err
}

// visit visits the chunks, if they came with the first round trip; otherwise they are read now, by a cursor if only their beginning may
// be wanted.
func (f *firstTrip) visit(ctx context.Context, from source, v scan.Visitor) error {
	stopsEarly := from.query.Limit > 0
	if !f.chunks {
		return f.engine.scan(from, f.pause).Run(ctx, v, stopsEarly)
	}
	rows, err := f.results.Query()
	if err != nil {
		return fmt.Errorf("reading chunks: %w", err)
	}
	defer rows.Close()
	release := func() {
		rows.Close()
		f.close()
	}
	return f.scan.RunWith(ctx, rows, release, v, stopsEarly)
}
