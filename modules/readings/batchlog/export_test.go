package batchlog

import "context"

const StretchBatches = stretchBatches

// ReadThrough reads the batches after seq up to last, some at a time.
func (l *Log) ReadThrough(ctx context.Context, seq, last int64, take func([]*Batch) error) error {
	return l.readThrough(ctx, seq, last, take)
}
