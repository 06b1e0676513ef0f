// Package backlog reads the log table for viewers that catch up.
//
// Backlog reads the log in pieces and keeps the pieces used last, so that one read serves all viewers at about the same position.
// Scheduler decides which of the viewers that catch up may work.
//
// The package does not read the recent window, and it does not know what a viewer does with a batch.
package backlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"telltale/modules/readings/batchlog"
)

const (
	// maxPieces is the most pieces that are kept.
	maxPieces = 64
	// pieceReadings is about how many readings one read of the log table returns, some 4 MB.
	pieceReadings = 200_000
	// MaxReads is how many reads run at once; other viewers wait. It leaves connections to the rest of the program.
	MaxReads = 2
	// readTimeout bounds one read of the log table.
	readTimeout = 30 * time.Second
)

// logTable is the log in the database.
type logTable interface {
	ReadAfter(ctx context.Context, stamp int64, readings int) ([]*batchlog.Batch, error)
	Missing(ctx context.Context, after int64) (batchlog.Missing, bool, error)
}

// Backlog is the part of the log that the window no longer holds. It is safe for concurrent use.
type Backlog struct {
	log    logTable
	reads  chan struct{} // has room for those that run
	budget int           // of bytes

	mu     sync.Mutex
	pieces []*piece // the one used last in front
	bytes  int
}

// piece is the result of one read: every batch with a stamp in (after, last].
type piece struct {
	replaced    int
	after, last int64
	batches     []*batchlog.Batch
	bytes       int
}

// Point is a stamp in one of the logs that this database has had. Replaced counts the earlier logs: a database that was restored
// or failed over has another log.
type Point struct {
	Replaced int
	Stamp    int64
}

// New returns a backlog that keeps pieces of at most the given number of bytes.
func New(log logTable, bytes int) *Backlog {
	return &Backlog{log: log, reads: make(chan struct{}, MaxReads), budget: bytes}
}

// errHole says that the log table does not continue where it should; a block may just have been dropped.
var errHole = errors.New("the log table does not go on where it should")

// After returns batches that follow a point, at least one and none beyond head; or, if the log does not have them, what is
// missing. One read serves every viewer whose point is in it. Other goroutines may hold the batches too.
func (b *Backlog) After(ctx context.Context, at Point, head int64) ([]*batchlog.Batch, *batchlog.Missing, error) {
	if batches := b.find(at); batches != nil {
		return batches, nil, nil
	}
	select {
	case b.reads <- struct{}{}:
		defer func() { <-b.reads }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if batches := b.find(at); batches != nil { // read for another viewer while this one waited
		return batches, nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if gone, err := b.missing(ctx, at); gone != nil || err != nil {
		return nil, gone, err
	}
	batches, err := b.read(ctx, at, head)
	if err != nil && !errors.Is(err, errHole) {
		return nil, nil, err
	}
	// Ask again: what the read did not see may have been dropped just before it.
	if gone, err := b.missing(ctx, at); gone != nil || err != nil {
		return nil, gone, err
	}
	if err != nil {
		return nil, nil, err
	}
	b.keep(at, batches)
	return batches, nil, nil
}

// missing returns the part of the log that is gone after a point, nil when nothing is gone.
func (b *Backlog) missing(ctx context.Context, at Point) (*batchlog.Missing, error) {
	missing, gone, err := b.log.Missing(ctx, at.Stamp)
	if err != nil || !gone {
		return nil, err
	}
	return &missing, nil
}

// read reads the batches after a point, none beyond head: the registry may not know the series of a later one yet.
func (b *Backlog) read(ctx context.Context, at Point, head int64) ([]*batchlog.Batch, error) {
	batches, err := b.log.ReadAfter(ctx, at.Stamp, pieceReadings)
	if err != nil {
		return nil, fmt.Errorf("reading on after %d: %w", at.Stamp, err)
	}
	for i, batch := range batches {
		if batch.Stamp() > head {
			batches = batches[:i]
			break
		}
		if i > 0 && batch.Seq != batches[i-1].Seq+1 {
			return nil, fmt.Errorf("%w: after batch %d comes %d", errHole, batches[i-1].Seq, batch.Seq)
		}
	}
	if len(batches) == 0 {
		return nil, fmt.Errorf("%w: nothing comes after %d, but the head is %d", errHole, at.Stamp, head)
	}
	return batches, nil
}

// find returns kept batches that follow a point, nil when there are none.
func (b *Backlog) find(at Point) []*batchlog.Batch {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, p := range b.pieces {
		if p.replaced == at.Replaced && p.after <= at.Stamp && at.Stamp < p.last {
			copy(b.pieces[1:], b.pieces[:i])
			b.pieces[0] = p
			return Newer(p.batches, at.Stamp)
		}
	}
	return nil
}

// keep keeps a piece, and as many of the others as fit into the budget beside it.
func (b *Backlog) keep(at Point, batches []*batchlog.Batch) {
	p := &piece{replaced: at.Replaced, after: at.Stamp, last: batches[len(batches)-1].Stamp(), batches: batches}
	for _, batch := range batches {
		p.bytes += 20*batch.Len() + 160
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pieces, b.bytes = slices.Insert(b.pieces, 0, p), b.bytes+p.bytes
	for len(b.pieces) > 1 && (b.bytes > b.budget || len(b.pieces) > maxPieces) {
		last := len(b.pieces) - 1
		b.bytes -= b.pieces[last].bytes
		b.pieces[last] = nil
		b.pieces = b.pieces[:last]
	}
}

// Newer returns those of the batches that follow a stamp. Batches are in the order of the log.
func Newer(batches []*batchlog.Batch, stamp int64) []*batchlog.Batch {
	i, found := slices.BinarySearchFunc(batches, stamp, func(b *batchlog.Batch, stamp int64) int { return int(b.Stamp() - stamp) })
	if found {
		i++
	}
	return batches[i:]
}
