package batchlog

import (
	"fmt"
	"math"

	"telltale/modules/readings/chunk"
)

// noReadings is what the columns series and data of a batch without readings contain.
var noReadings = chunk.EncodeIDs(nil)

// Encode returns the columns series and data of a batch: each in the form of a chunk's data (FORMAT.md of package chunk).
func Encode(b *Batch) (series, data []byte) {
	return chunk.EncodeIDs(b.Series), chunk.Encode(0, chunk.Points{TS: b.TS, Value: b.Value})
}

// decode reads a batch's readings from its columns.
func decode(b *Batch, series, data []byte) (err error) {
	if b.Series, err = chunk.DecodeIDs(nil, series); err != nil {
		return fmt.Errorf("batch %d: %w", b.Seq, err)
	}
	points, err := chunk.Decode(chunk.Points{}, 0, data, math.MinInt64, math.MaxInt64)
	if err != nil {
		return fmt.Errorf("batch %d: %w", b.Seq, err)
	}
	if points.Len() != b.Len() {
		return fmt.Errorf("batch %d: %w: %d readings of %d series", b.Seq, chunk.ErrMalformed, points.Len(), b.Len())
	}
	b.TS, b.Value = points.TS, points.Value
	return nil
}
