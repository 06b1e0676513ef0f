package batchlog

import (
	"context"
	"fmt"
	"time"
)

// Missing is a stretch of the log that is gone, because it is older than the log's retention: the batches whose stamps are
// from FirstStamp to LastStamp. The readings are still in history, between MinTS and MaxTS (Unix ms, both inclusive), unless their
// own retention has ended.
type Missing struct {
	FirstStamp, LastStamp int64
	MinTS, MaxTS          int64
}

const selectMissing = `
SELECT max(last_at), coalesce(min(min_ts), 0), coalesce(max(max_ts), 0)
FROM log_blocks_dropped WHERE last_at > $1`

// Missing tells what of the log after a stamp is gone; ok is false when nothing is.
func (l *Log) Missing(ctx context.Context, after int64) (m Missing, ok bool, err error) {
	m.FirstStamp = after + 1
	var last *time.Time
	if err := l.db.QueryRow(ctx, selectMissing, TimeOf(after)).Scan(&last, &m.MinTS, &m.MaxTS); err != nil {
		return m, false, fmt.Errorf("reading what of the log is gone: %w", err)
	}
	m.LastStamp = stampOf(last)
	return m, last != nil, nil
}
