package streaming

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"telltale/modules/devices"
	"telltale/modules/readings"
	"telltale/modules/readings/render"
)

// errTooMany says that there are more rows than may be in one flush.
var errTooMany = errors.New("there are too many buckets for one flush")

// bucketRows is an answer of history, or several, in memory.
type bucketRows struct {
	most int // rows that there may be
	// only, when it is set, are the buckets to keep of what is answered.
	only   map[bucketName]struct{}
	rows   []bucketRow
	values []float64

	series devices.Series // whose buckets come
}

// bucketRow is a bucket of one series. Its aggregates begin at index values.
type bucketRow struct {
	bucketName
	values int
}

// Plan, Begin and End are nothing to it.
func (r *bucketRows) Plan(readings.Query, readings.Plan) error { return nil }

// Begin comes before the first series.
func (r *bucketRows) Begin(int64, string) error { return nil }

// End comes after the last bucket.
func (r *bucketRows) End(*readings.Cursor) error { return nil }

// Points never comes: only buckets are asked for.
func (r *bucketRows) Points([]int64, []float64) error {
	return errors.New("readings came instead of buckets")
}

// Series notes whose buckets come next.
func (r *bucketRows) Series(s devices.Series) error {
	r.series = s
	return nil
}

// Bucket keeps a bucket.
func (r *bucketRows) Bucket(ts int64, aggregates []float64) error {
	name := bucketName{r.series.Device, r.series.Metric, ts}
	if _, wanted := r.only[name]; r.only != nil && !wanted {
		return nil
	}
	if len(r.rows) == r.most {
		return errTooMany
	}
	r.rows = append(r.rows, bucketRow{name, len(r.values)})
	r.values = append(r.values, aggregates...)
	return nil
}

// cut forgets all rows but the first n.
func (r *bucketRows) cut(n int) {
	if n < len(r.rows) {
		r.values = r.values[:r.rows[n].values]
		r.rows = r.rows[:n]
	}
}

// sort puts the rows in the order of their events.
func (r *bucketRows) sort() {
	slices.SortFunc(r.rows, func(x, y bucketRow) int {
		return cmp.Or(cmp.Compare(x.ts, y.ts), strings.Compare(x.device, y.device), strings.Compare(x.metric, y.metric))
	})
}

// eventRows returns how many of the rows, from the first on, are one event: those of one bucket of time and one device.
func eventRows(rows []bucketRow) int {
	n := 1
	for n < len(rows) && rows[n].ts == rows[0].ts && rows[n].device == rows[0].device {
		n++
	}
	return n
}

// append appends the data of an event.
func (r *bucketRows) append(dst []byte, event []bucketRow, b *BucketRequest) []byte {
	dst = render.AppendString(append(dst, "event: bucket\ndata: {\"device\":"...), event[0].device)
	dst = render.AppendTime(append(dst, `,"ts":"`...), event[0].ts)
	dst = append(append(append(dst, `","interval":"`...), b.Interval.String()...), `","values":{`...)
	for i, row := range event {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(render.AppendString(dst, row.metric), `:{`...)
		for k, aggregate := range b.Aggregates {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(append(dst, '"'), aggregate...), `":`...)
			dst = render.AppendFloat(dst, r.values[row.values+k])
		}
		dst = append(dst, '}')
	}
	return append(dst, eventTail...)
}
