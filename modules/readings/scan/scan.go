// Package scan iterates over the readings of some series: chunks and recent window as one, each reading once.
//
// It owns the statements that read chunks, the merging of their rows with a view of the window, and releasing the database
// connection while a client does not read. It knows no query: its visitors, in packages history and forecast, decide what to make
// of the readings.
package scan

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync/atomic"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/deletion"
	"telltale/platform/postgres"
)

// Scan is one pass over the readings of some series: chunks and recent window as one, each reading once.
//
// The window is captured before the chunks are read, in a single statement. Whatever that statement does not see in chunks
// was unfolded when the window was captured, so nothing is missing; and its snapshot tells how far chunks reach, so
// nothing of the window is counted twice. The answer is exact as of the view's head: where chunks have got further, which
// takes a whole fold while the query was on its way, it starts again.
//
// PostgreSQL plans a statement before it takes the statement's snapshot. If a partition came and was folded into in between,
// the snapshot says so and the plan does not have it. So the snapshot also tells how many partitions there have been: when
// that is more than were known before the statement was sent, the statement is sent again.
type Scan struct {
	DB     *postgres.DB
	Recent batchlog.View
	From   int64 // Unix ms, inclusive
	To     int64 // exclusive
	// Resume is where the first series begins, not before from; the others begin at from.
	Resume int64
	// Floors are where what is kept of each series begins; nil when everything is.
	Floors []int64
	// Months is how many partitions this instance knows to have been made.
	Months *atomic.Int64
	// Whole is the span of which statistics are enough, because no edge of a bucket cuts it; NoSpan where every point is needed.
	Whole chunk.Span
	// Pause gives back what others need while the client does not read; nil where there is none.
	Pause *Pause

	known int64 // months when the statement was sent
}

// Piece is what a scan knows about one stretch of time of one series. Either Points or, where statistics are enough, only
// Statistics are set. Pieces of a series come in order of time. Points are valid until the next piece.
type Piece struct {
	Start      int64 // of the chunk or day
	Points     chunk.Points
	Statistics chunk.Statistics
}

// Visitor receives what a scan finds.
type Visitor interface {
	// Begin is called once for each series, in the order asked for, before its pieces. stamp is that of the newest batch that the answer takes into account.
	Begin(index int, stamp int64) error
	Piece(p Piece) error
	// End is called once, with the error that has ended the scan stopsEarly, if one has; run returns what it returns.
	End(err error) error
}

// ErrBehind says that log or chunks have batches which the window did not hold when a query captured it, and which may be of
// series that the query does not know. Nothing has been visited then.
var ErrBehind = errors.New("the log has grown meanwhile")

// errNewMonth says that the plan of a scan's statement may lack a partition which its snapshot sees. Nothing has been
// visited then.
var errNewMonth = errors.New("a new month of chunks came while the query was planned")

// Run reads the chunks and visits every series of the view, or returns ErrBehind. stopsEarly is for a visitor that mostly ends the
// scan long before its end.
func (s *Scan) Run(ctx context.Context, v Visitor, stopsEarly bool) error {
	read := s.read
	if stopsEarly {
		read = s.readByCursor
	}
	for {
		if err := read(ctx, v); !errors.Is(err, errNewMonth) {
			return err
		}
	}
}

func (s *Scan) read(ctx context.Context, v Visitor) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	query, args := s.Statement()
	rows, err := s.DB.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("reading chunks: %w", err)
	}
	defer rows.Close()
	if err = s.walk(ctx, s.Pause.hold(rows, rows.Close), v); err != nil {
		cancel() // ends the statement, too, instead of reading what is left of it
	}
	return err
}

// RunWith is run with the rows that the scan's statement has answered already. release gives their connection back.
func (s *Scan) RunWith(ctx context.Context, rows rows, release func(), v Visitor, stopsEarly bool) error {
	err := s.walk(ctx, s.Pause.hold(rows, release), v)
	if errors.Is(err, errNewMonth) {
		release()
		return s.Run(ctx, v, stopsEarly)
	}
	return err
}

// outdated reports whether a scan has to start again, and has visited nothing.
func outdated(err error) bool { return errors.Is(err, errNewMonth) || errors.Is(err, ErrBehind) }

// walk visits every series of the view, with the rows that the scan's statement has answered. It may
// return errNewMonth or ErrBehind.
func (s *Scan) walk(ctx context.Context, rows rows, v Visitor) error {
	defer s.Pause.letGo()
	walk := walker{ctx: ctx, scan: s, rows: rows, visitor: v, index: -1}
	err := walk.run()
	if outdated(err) {
		return err
	}
	return v.End(err)
}

// walker merges the rows of a scan's statement with its view.
type walker struct {
	ctx     context.Context
	scan    *Scan
	rows    rows
	visitor Visitor

	folded int64           // what chunks hold, known from the first row on
	index  int             // of the series begun last
	from   int64           // where that series begins
	until  int64           // what of it the chunks met so far cover
	recent chunk.Points    // that series' readings of the window that were not visited yet
	hidden []deletion.Mask // what of that series' chunks is deleted
	chunk  chunk.Points    // memory for one chunk
	hours  chunk.Hours     // memory for the statistics of its hours
	merged chunk.Points    // memory for a chunk merged with the window
}

func (w *walker) run() error {
	known := false
	for w.rows.Next() {
		if err := w.ctx.Err(); err != nil { // the rows may all be here
			return err
		}
		row, err := parseChunkRow(w.rows.RawValues())
		if err != nil {
			return err
		}
		if !known {
			w.folded, known = row.folded, true
			if row.months != w.scan.known {
				w.scan.Months.Store(row.months)
				return errNewMonth
			}
			if row.folded > w.scan.Recent.Head {
				return ErrBehind
			}
		}
		if err := w.row(row); err != nil {
			return err
		}
		// A chunk is a fraction of a millisecond of work, and the rows of an answer may all be here. Without this, small requests wait
		// until Go's scheduler preempts large ones, after ten milliseconds each.
		runtime.Gosched()
	}
	if err := w.rows.Err(); err != nil {
		return fmt.Errorf("reading chunks: %w", err)
	}
	return w.advance(len(w.scan.Recent.Series))
}

// row visits one chunk, and what the window has before it and beside it.
func (w *walker) row(row chunkRow) error {
	if row.index < w.index {
		return errors.New("chunks came out of the order asked for")
	}
	// Before anything is visited: what the row has is not valid any more when the client lets a visit wait.
	if err := w.decode(row); err != nil {
		return err
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
	if row.data == nil {
		if beside.Len() > 0 || slices.ContainsFunc(w.hidden, func(m deletion.Mask) bool { return m.From < row.end && row.start < m.To }) {
			return errors.New("a chunk's statistics were read where its readings are needed")
		}
		return w.visitStatistics(row)
	}
	points := deletion.Withhold(w.chunk.Slice(w.from, w.scan.To), w.hidden)
	if beside.Len() > 0 {
		w.merged = chunk.Merge(chunk.Points{TS: w.merged.TS[:0], Value: w.merged.Value[:0]}, points, beside)
		points = w.merged
	}
	return w.visitPoints(row.start, points)
}

// decode reads what the row has besides its statistics.
func (w *walker) decode(row chunkRow) (err error) {
	switch {
	case row.data != nil:
		w.chunk, err = chunk.Decode(chunk.Points{TS: w.chunk.TS[:0], Value: w.chunk.Value[:0]}, row.start, row.data, w.scan.begin(row.index), w.scan.To)
	case row.hourly != nil:
		w.hours, err = chunk.DecodeHours(w.hours[:0], &w.chunk, row.hourly)
	}
	return err
}

// visitStatistics visits the statistics of a chunk, or of its hours where the row has them.
func (w *walker) visitStatistics(row chunkRow) error {
	if row.hourly == nil {
		return w.visitor.Piece(Piece{Start: row.start, Statistics: row.statistics})
	}
	for i, s := range w.hours {
		if s.Count == 0 {
			continue
		}
		if err := w.visitor.Piece(Piece{Start: row.start + int64(i)*chunk.Hour, Statistics: s}); err != nil {
			return err
		}
	}
	return nil
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
		if w.index == len(w.scan.Recent.Series) {
			return nil
		}
		if err := w.visitor.Begin(w.index, w.scan.Recent.Stamp); err != nil {
			return err
		}
		w.from, w.until = w.scan.begin(w.index), math.MinInt64
		w.recent = w.scan.Recent.Points(w.index, w.folded, w.from, w.scan.To)
		w.hidden = w.scan.Recent.Hidden(w.index, w.folded)
	}
	return nil
}

// visitRecent visits what the window has before the instant given, a chunk's span at a time.
func (w *walker) visitRecent(before int64) error {
	for w.recent.Len() > 0 && w.recent.TS[0] < before {
		start := chunk.HourSpan.Floor(w.recent.TS[0])
		if err := w.visitPoints(start, w.takeRecent(min(before, start+chunk.Hour))); err != nil {
			return err
		}
	}
	return nil
}

// takeRecent removes and returns what the window has before the instant given.
func (w *walker) takeRecent(before int64) chunk.Points {
	n, _ := slices.BinarySearch(w.recent.TS, before)
	taken := chunk.Points{TS: w.recent.TS[:n], Value: w.recent.Value[:n]}
	w.recent = chunk.Points{TS: w.recent.TS[n:], Value: w.recent.Value[n:]}
	return taken
}

func (w *walker) visitPoints(start int64, points chunk.Points) error {
	if points.Len() == 0 {
		return nil
	}
	return w.visitor.Piece(Piece{Start: start, Points: points})
}

// chunkRow is a row of a scan's statement; data is nil where statistics are enough: those of the hours if
// hourly is set. Both are valid until the next row.
type chunkRow struct {
	index      int
	start      int64
	end        int64
	statistics chunk.Statistics
	data       []byte
	hourly     []byte
	folded     int64
	months     int64
}

// parseChunkRow reads a row in PostgreSQL's binary format, which is much cheaper than scanning it by reflection.
func parseChunkRow(raw [][]byte) (row chunkRow, err error) {
	if len(raw) != 14 || len(raw[0]) != 8 || len(raw[1]) != 8 || len(raw[2]) != 2 || len(raw[3]) != 4 || len(raw[12]) != 8 || len(raw[13]) != 4 {
		return row, fmt.Errorf("%w: row of %d columns", chunk.ErrMalformed, len(raw))
	}
	start := chunk.ParseTimestamp(raw[1])
	return chunkRow{
		index:      int(binary.BigEndian.Uint64(raw[0])) - 1,
		start:      start,
		end:        start + int64(binary.BigEndian.Uint16(raw[2]))*chunk.Hour,
		statistics: chunk.ParseStatistics(raw[3:10]),
		data:       raw[10],
		hourly:     raw[11],
		folded:     int64(binary.BigEndian.Uint64(raw[12])),
		months:     int64(binary.BigEndian.Uint32(raw[13])),
	}, nil
}
