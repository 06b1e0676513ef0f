package readings

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// errBehind says that log or chunks have batches which the window did not hold when a query captured it, and which may be of
// series that the query does not know. Nothing has been visited then.
var errBehind = errors.New("the log has grown meanwhile")

// fewChunks is how many chunks a query may open without having been estimated first. To read so few costs about as much
// as a round trip.
const fewChunks = 64

// opensFew reports whether the query opens no more than fewChunks of so many series.
func (q Query) opensFew(series int) bool { return (q.To-q.From)/ChunkSpan*int64(series) <= fewChunks }

// opening is the first round trip of a query: what decides how it is answered and, where they are few, its chunks.
// The statements run in the order of the fields, each with a snapshot of its own.
type opening struct {
	head    bool // asks whether the window holds everything that the log does
	survey  bool
	chunks  bool
	results pgx.BatchResults
}

// open sends the first statements of a query that captured the view of the pass. The results must be closed.
func (s *Service) open(ctx context.Context, q Query, pass *scan, reached bool) *opening {
	n := len(pass.recent.series)
	count := n > 0 && s.mustCount(q, n)
	o := &opening{
		head: !reached, survey: n > 0 && (q.Versioned || count),
		chunks: n > 0 && !count && q.opensFew(n),
	}
	var batch pgx.Batch
	if o.head {
		batch.Queue(selectHead)
	}
	if o.survey {
		query, args := q.survey(pass.recent.series)
		batch.Queue(query, args...)
	}
	if o.chunks {
		query, args := pass.question()
		batch.Queue(query, args...)
	}
	if batch.Len() > 0 {
		o.results = s.db.SendBatch(ctx, &batch)
	}
	return o
}

// close reads what has not been read and gives the connection back.
func (o *opening) close() {
	if o.results != nil {
		_ = o.results.Close()
	}
}

// decide reads what comes before the chunks. The error is errBehind when the view of the pass is older than the call. Without
// chunks to come the connection goes back: what follows may need one.
func (o *opening) decide(q Query, recent view) (found survey, err error) {
	if o.head {
		var head int64
		if err := o.results.QueryRow().Scan(&head); err != nil {
			return found, fmt.Errorf("reading the log's head: %w", err)
		}
		if head > recent.head {
			return found, errBehind
		}
	}
	if o.survey {
		found, err = readSurvey(o.results.QueryRow(), q, recent)
	}
	if !o.chunks {
		o.close()
	}
	return found, err
}

// visit visits the chunks, if they came with the opening; otherwise they are read now, paged if only their beginning may be
// wanted.
func (o *opening) visit(ctx context.Context, pass *scan, v visitor, paged bool) error {
	if !o.chunks {
		return pass.run(ctx, v, paged)
	}
	rows, err := o.results.Query()
	if err != nil {
		return fmt.Errorf("reading chunks: %w", err)
	}
	defer rows.Close()
	if err = pass.walk(rows, v); errors.Is(err, errNewMonth) {
		rows.Close()
		o.close()
		return pass.run(ctx, v, paged)
	}
	return err
}
