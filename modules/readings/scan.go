package readings

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"telltale/platform/postgres"
)

// scan is one pass over the readings of some series: chunks and recent window as one, each reading once.
//
// The window is captured before the chunks are read, in a single statement. Whatever that statement does not see in chunks
// was unfolded when the window was captured, so nothing is missing; and its snapshot tells how far chunks reach, so
// nothing of the window is counted twice. The answer is exact as of the view's head: where chunks have got further, which
// takes a whole fold while the query was on its way, it begins anew.
//
// PostgreSQL plans a statement before it takes the statement's snapshot. If a partition came and was folded into in between,
// the snapshot says so and the plan does not have it. So the snapshot also tells how many partitions there have been: when
// that is more than were known before the statement was sent, the statement is sent again.
type scan struct {
	db     *postgres.DB
	recent view
	from   int64 // Unix ms, inclusive
	to     int64 // exclusive
	// resume is where the first series begins, not before from; the others begin at from.
	resume int64
	// floors are where what is kept of each series begins; nil when everything is.
	floors []int64
	// months is how many partitions this instance knows to have been made.
	months *atomic.Int64
	known  int64 // of them when the statement was sent
	// buckets are what the caller needs only summaries of; nil when it needs every point.
	buckets *Buckets
}

// piece is what a scan knows about one stretch of time of one series. Either Points or, where a summary is enough, only
// Summary is set. Pieces of a series come in order of time. Points are valid until the next piece.
type piece struct {
	start   int64 // of the chunk or day
	points  Points
	summary Summary
}

// visitor receives what a scan finds.
type visitor interface {
	// begin is called once for each series, in the order asked for, before its pieces. seq is what the answer is as of.
	begin(index int, seq int64) error
	piece(p piece) error
	// end is called once, with the error that has ended the scan early, if one has; run returns what it returns.
	end(err error) error
}

// errNewMonth says that the plan of a scan's statement may lack a partition which its snapshot sees. Nothing has been
// visited then.
var errNewMonth = errors.New("a new month of chunks came while the query was planned")

// run reads the chunks and visits every series of the view, or returns errBehind. paged is for a visitor that mostly ends the
// scan long before its end.
func (s *scan) run(ctx context.Context, v visitor, paged bool) error {
	read := s.read
	if paged {
		read = s.readPage
	}
	for {
		s.known = s.months.Load()
		if err := read(ctx, v); !errors.Is(err, errNewMonth) {
			return err
		}
	}
}

func (s *scan) read(ctx context.Context, v visitor) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	query, args := s.question()
	rows, err := s.db.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("reading chunks: %w", err)
	}
	defer rows.Close()
	if err = s.walk(rows, v); err != nil {
		cancel() // ends the statement, too, instead of reading what is left of it
	}
	return err
}

// outdated reports whether a scan has to begin anew, and has visited nothing.
func outdated(err error) bool { return errors.Is(err, errNewMonth) || errors.Is(err, errBehind) }

// walk visits every series of the view, with the rows that the scan's statement has answered. It may be outdated.
func (s *scan) walk(rows rows, v visitor) error {
	walk := walker{scan: s, rows: rows, visitor: v, index: -1}
	err := walk.run()
	if outdated(err) {
		return err
	}
	return v.end(err)
}

// instants returns those of the i-th series' readings within [from, to), in ascending order.
func (v view) instants(i int, from, to int64) []int64 {
	var all []int64
	for _, r := range v.refs[i] {
		if ts := v.batches[r.seq()-v.first].TS[r.index()]; ts >= from && ts < to {
			all = append(all, ts)
		}
	}
	if !slices.IsSorted(all) {
		slices.Sort(all)
	}
	return all
}

// walker merges the rows of a scan's statement with its view.
type walker struct {
	scan    *scan
	rows    rows
	visitor visitor

	folded int64  // what chunks hold, known from the first row on
	index  int    // of the series begun last
	from   int64  // where that series begins
	until  int64  // what of it the chunks met so far cover
	recent Points // that series' readings of the window that were not visited yet
	chunk  Points // memory for one chunk
	merged Points // memory for a chunk merged with the window
}

func (w *walker) run() error {
	known := false
	for w.rows.Next() {
		row, err := parseChunkRow(w.rows.RawValues())
		if err != nil {
			return err
		}
		if !known {
			w.folded, known = row.folded, true
			if row.months != w.scan.known {
				w.scan.months.Store(row.months)
				return errNewMonth
			}
			if row.folded > w.scan.recent.head {
				return errBehind
			}
		}
		if err := w.row(row); err != nil {
			return err
		}
	}
	if err := w.rows.Err(); err != nil {
		return fmt.Errorf("reading chunks: %w", err)
	}
	return w.advance(len(w.scan.recent.series))
}

// row visits one chunk, and what the window has before it and beside it.
func (w *walker) row(row chunkRow) (err error) {
	if row.index < w.index {
		return errors.New("chunks came out of the order asked for")
	}
	if err := w.advance(row.index); err != nil {
		return err
	}
	if row.start < w.until {
		return errors.New("chunks of a series overlap, or came out of their order in time")
	}
	w.until = row.end
	if err := w.visitRecent(row.start); err != nil {
		return err
	}
	beside := w.takeRecent(row.end)
	if row.deltas == nil {
		if beside.Len() > 0 {
			return errors.New("a chunk's summary was read where its readings are needed")
		}
		return w.visitor.piece(piece{start: row.start, summary: row.summary})
	}
	w.chunk, err = appendChunk(Points{w.chunk.TS[:0], w.chunk.Value[:0]}, row.start, row.deltas, row.value)
	if err != nil {
		return err
	}
	points := w.chunk.slice(w.from, w.scan.to)
	if beside.Len() > 0 {
		w.merged = mergeInto(Points{w.merged.TS[:0], w.merged.Value[:0]}, points, beside)
		points = w.merged
	}
	return w.visitPoints(row.start, points)
}

// advance ends the series begun last and begins every one up to index.
func (w *walker) advance(index int) error {
	for w.index < index {
		if w.index >= 0 {
			if err := w.visitRecent(math.MaxInt64); err != nil {
				return err
			}
		}
		w.index++
		if w.index == len(w.scan.recent.series) {
			return nil
		}
		if err := w.visitor.begin(w.index, w.scan.recent.head); err != nil {
			return err
		}
		w.from, w.until = w.scan.begin(w.index), minTS
		w.recent = w.scan.recent.points(w.index, w.folded, w.from, w.scan.to)
	}
	return nil
}

// visitRecent visits what the window has before the instant given, a chunk's span at a time.
func (w *walker) visitRecent(before int64) error {
	for w.recent.Len() > 0 && w.recent.TS[0] < before {
		start := chunkStart(w.recent.TS[0])
		if err := w.visitPoints(start, w.takeRecent(min(before, start+ChunkSpan))); err != nil {
			return err
		}
	}
	return nil
}

// takeRecent removes and returns what the window has before the instant given.
func (w *walker) takeRecent(before int64) Points {
	n, _ := slices.BinarySearch(w.recent.TS, before)
	taken := Points{w.recent.TS[:n], w.recent.Value[:n]}
	w.recent = Points{w.recent.TS[n:], w.recent.Value[n:]}
	return taken
}

func (w *walker) visitPoints(start int64, points Points) error {
	if points.Len() == 0 {
		return nil
	}
	return w.visitor.piece(piece{start: start, points: points})
}

// chunkRow is a row of selectChunks; deltas and value are nil where the summary is enough, and valid until the next row.
type chunkRow struct {
	index   int
	start   int64
	end     int64
	summary Summary
	deltas  []byte
	value   []byte
	folded  int64
	months  int64
}

// parseChunkRow reads a row in PostgreSQL's binary format, which is much cheaper than scanning it by reflection.
func parseChunkRow(raw [][]byte) (row chunkRow, err error) {
	if len(raw) != 13 || len(raw[0]) != 8 || len(raw[1]) != 8 || len(raw[2]) != 2 || len(raw[3]) != 4 || len(raw[11]) != 8 || len(raw[12]) != 4 {
		return row, fmt.Errorf("%w: row of %d columns", errChunk, len(raw))
	}
	float := func(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) }
	start := parseTimestamp(raw[1])
	return chunkRow{
		index: int(binary.BigEndian.Uint64(raw[0])) - 1,
		start: start,
		end:   start + int64(binary.BigEndian.Uint16(raw[2]))*hour,
		summary: Summary{
			Count: int64(binary.BigEndian.Uint32(raw[3])),
			Min:   float(raw[4]), Max: float(raw[5]), Sum: float(raw[6]), First: float(raw[7]), Last: float(raw[8]),
		},
		deltas: raw[9],
		value:  raw[10],
		folded: int64(binary.BigEndian.Uint64(raw[11])),
		months: int64(binary.BigEndian.Uint32(raw[12])),
	}, nil
}

// parseTimestamp reads a timestamptz, microseconds since 2000, as Unix milliseconds.
func parseTimestamp(raw []byte) int64 {
	const epoch = 946_684_800_000
	return int64(binary.BigEndian.Uint64(raw))/1000 + epoch
}
