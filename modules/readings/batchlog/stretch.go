package batchlog

import (
	"context"
	"fmt"
	"sync"
)

// What a start reads of the log it reads in stretches, several at once, so that the database reads while this side
// unpacks.
const (
	// stretchReadings is about how many readings a stretch has, stretchBatches how many batches at most.
	stretchReadings = 250_000
	stretchBatches  = 8192
	// stretchesAhead is how many stretches may be read, or wait, behind the two that come first.
	stretchesAhead = 1
)

// stretch is consecutive batches of the log, or why they could not be read.
type stretch struct {
	batches []*Batch
	err     error
}

// readThrough hands over the batches after one seq up to another in the order of the log, some at a time, while it reads the
// next ones. It stops at the first error, that of take included. Batches that the log does not have are passed over.
func (l *Log) readThrough(ctx context.Context, after, last int64, take func([]*Batch) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	stretches := make(chan chan stretch, stretchesAhead)
	reading.Go(func() {
		defer close(stretches)
		l.readStretches(ctx, after, last, stretches, &reading)
	})
	for next := range stretches {
		s := <-next
		if s.err != nil {
			return s.err
		}
		if err := take(s.batches); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// readStretches sends what each stretch will come by, in order, and reads it. It waits where stretches has no room.
func (l *Log) readStretches(ctx context.Context, after, last int64, stretches chan<- chan stretch, reading *sync.WaitGroup) {
	for after < last {
		next := make(chan stretch, 1)
		end, err := l.stretchEnd(ctx, after, last)
		if err == nil && end == 0 {
			return
		}
		select {
		case stretches <- next:
		case <-ctx.Done():
			return
		}
		if err != nil {
			next <- stretch{err: err}
			return
		}
		from := after
		reading.Go(func() {
			batches, err := l.between(ctx, from, end)
			next <- stretch{batches, err}
		})
		after = end
	}
}

const selectStretchEnd = `
SELECT coalesce(max(seq), 0)
FROM (
	SELECT seq, sum(count) OVER (ORDER BY seq) - count AS before
	FROM (SELECT seq, count FROM reading_log WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3) AS next
) AS counted
WHERE before < $4`

// stretchEnd returns the seq of the last batch of the stretch after a seq, 0 when there is none up to last.
func (l *Log) stretchEnd(ctx context.Context, after, last int64) (end int64, err error) {
	if err := l.db.QueryRow(ctx, selectStretchEnd, after, last, stretchBatches, stretchReadings).Scan(&end); err != nil {
		return 0, fmt.Errorf("measuring the log: %w", err)
	}
	return end, nil
}

const selectBetween = selectBatch + `
FROM reading_log WHERE seq > $1 AND seq <= $2 ORDER BY seq`

// between returns the batches after one seq up to another, oldest first.
func (l *Log) between(ctx context.Context, after, last int64) ([]*Batch, error) {
	return l.query(ctx, selectBetween, after, last)
}
