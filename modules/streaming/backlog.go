package streaming

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telltale/modules/readings"
)

const (
	// backlogBytes bounds the batches that are kept for viewers who read the same part of the log.
	backlogBytes = 16 << 20
	// backlogReadings is about how many readings one read of the log table brings, some 4 MB.
	backlogReadings = 200_000
	// backlogReads is how many reads run at once; other viewers wait for their turn. It keeps connections for the rest
	// of the program.
	backlogReads = 2
	// readTimeout bounds one read of the log table.
	readTimeout = 30 * time.Second
)

// backlog is the part of the log that the window no longer holds, read from the log table in bounded pieces.
type backlog struct {
	log   logTable
	turns chan struct{}
	kept  *lru[logPlace, *readings.Batch]
}

// logPlace is a batch's place in one of the logs that there have been, one after the other; see window.Replaced.
type logPlace struct {
	replaced int
	seq      int64
}

func newBacklog(log logTable) *backlog {
	return &backlog{log: log, turns: make(chan struct{}, backlogReads), kept: newLRU[logPlace, *readings.Batch](backlogBytes)}
}

// errHole says that the log table does not go on where it should; a block may just have been dropped.
var errHole = errors.New("the log table does not go on where it should")

// after returns batches that follow a place, at least one, none beyond head; or else what of the log is missing there.
func (b *backlog) after(ctx context.Context, place logPlace, head int64) ([]*readings.Batch, *readings.Missing, error) {
	next := logPlace{place.replaced, place.seq + 1}
	if batch, ok := b.kept.find(next); ok {
		return []*readings.Batch{batch}, nil, nil
	}
	select {
	case b.turns <- struct{}{}:
		defer func() { <-b.turns }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if batch, ok := b.kept.find(next); ok { // somebody has read it while this one waited
		return []*readings.Batch{batch}, nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	for again := false; ; again = true {
		missing, gone, err := b.log.Missing(ctx, place.seq)
		if err != nil {
			return nil, nil, err
		}
		if gone {
			return nil, &missing, nil
		}
		batches, err := b.read(ctx, place, head)
		if errors.Is(err, errHole) && !again {
			continue
		}
		return batches, nil, err
	}
}

// read reads the batches after a place, none beyond head: the registry may not know yet what a later one speaks of.
func (b *backlog) read(ctx context.Context, place logPlace, head int64) ([]*readings.Batch, error) {
	seq := place.seq
	batches, err := b.log.Read(ctx, seq, backlogReadings)
	if err != nil {
		return nil, fmt.Errorf("reading on after %d: %w", seq, err)
	}
	for i, batch := range batches {
		if batch.Seq > head {
			batches = batches[:i]
			break
		}
		if batch.Seq != seq+int64(i)+1 {
			return nil, fmt.Errorf("%w: after %d comes %d", errHole, seq+int64(i), batch.Seq)
		}
	}
	if len(batches) == 0 {
		return nil, fmt.Errorf("%w: nothing comes after %d, but the head is %d", errHole, seq, head)
	}
	for _, batch := range batches {
		b.kept.get(logPlace{place.replaced, batch.Seq}, 20*batch.Len()+160, func() *readings.Batch { return batch })
	}
	return batches, nil
}
