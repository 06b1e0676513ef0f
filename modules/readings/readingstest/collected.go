package readingstest

import (
	"errors"

	"telltale/modules/readings/history"
	"telltale/modules/series"
)

// ErrNotModified ends a query whose answer is the version that a Collected has.
var ErrNotModified = errors.New("the test has this version of the answer")

// Collected is an answer in memory.
type Collected struct {
	Seq   int64
	Order []string               // of the series, as "device/metric"
	Rows  map[string][][]float64 // by series: ts and values
	Next  *history.Cursor
	Ended bool

	Have    string // the version that need not be answered again
	Version string
	Query   history.Query // as it was answered
	Planned history.Plan

	current string
}

// NewCollected returns an answer that nothing has been written to.
func NewCollected() *Collected { return &Collected{Rows: map[string][][]float64{}} }

// Plan keeps the query and its plan; it returns ErrNotModified for the version that the test has.
func (c *Collected) Plan(q history.Query, plan history.Plan) error {
	c.Query, c.Planned = q, plan
	if c.Have != "" && plan.Version == c.Have {
		return ErrNotModified
	}
	return nil
}

// Begin keeps the position in the log and the version.
func (c *Collected) Begin(seq int64, version string) error {
	c.Seq, c.Version = seq, version
	return nil
}

// Series begins the rows of a series.
func (c *Collected) Series(s series.Series) error {
	c.current = s.Device + "/" + s.Metric
	c.Order = append(c.Order, c.current)
	return nil
}

// Points adds rows of a time and a value.
func (c *Collected) Points(ts []int64, value []float64) error {
	for i := range ts {
		c.Rows[c.current] = append(c.Rows[c.current], []float64{float64(ts[i]), value[i]})
	}
	return nil
}

// Bucket adds a row of a time and aggregates.
func (c *Collected) Bucket(ts int64, aggregates []float64) error {
	c.Rows[c.current] = append(c.Rows[c.current], append([]float64{float64(ts)}, aggregates...))
	return nil
}

// End keeps where the answer goes on.
func (c *Collected) End(next *history.Cursor) error { c.Next, c.Ended = next, true; return nil }
