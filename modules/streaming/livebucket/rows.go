package livebucket

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"telltale/modules/readings/history"

	"telltale/modules/readings/render"
	"telltale/modules/series"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/request"
)

// errTooMany says that there are more rows than one flush may have.
var errTooMany = errors.New("there are too many buckets for one flush")

// Rows holds one or several answers of history in memory.
type Rows struct {
	most int // rows that there may be
	// only, if set, holds the buckets to keep; all others of an answer are discarded.
	only   map[bucketName]struct{}
	rows   []row
	values []float64

	series series.Series // whose buckets come
}

// row is a bucket of one series. Its aggregates begin at index values.
type row struct {
	bucketName
	values int
}

// Plan is a no-op, like Begin and End: rows need no frame.
func (r *Rows) Plan(history.Query, history.Plan) error { return nil }

// Begin comes before the first series.
func (r *Rows) Begin(int64, string) error { return nil }

// End comes after the last bucket.
func (r *Rows) End(*history.Cursor) error { return nil }

// Points is never called, because only buckets are queried.
func (r *Rows) Points([]int64, []float64) error {
	return errors.New("readings came instead of buckets")
}

// Series records whose buckets come next.
func (r *Rows) Series(s series.Series) error {
	r.series = s
	return nil
}

// Bucket keeps a bucket.
func (r *Rows) Bucket(ts int64, aggregates []float64) error {
	name := bucketName{r.series.Device, r.series.Metric, ts}
	if _, wanted := r.only[name]; r.only != nil && !wanted {
		return nil
	}
	if len(r.rows) == r.most {
		return errTooMany
	}
	r.rows = append(r.rows, row{name, len(r.values)})
	r.values = append(r.values, aggregates...)
	return nil
}

// truncate removes all rows but the first n.
func (r *Rows) truncate(n int) {
	if n < len(r.rows) {
		r.values = r.values[:r.rows[n].values]
		r.rows = r.rows[:n]
	}
}

// sort sorts the rows in the order of their events.
func (r *Rows) sort() {
	slices.SortFunc(r.rows, func(x, y row) int {
		return cmp.Or(cmp.Compare(x.ts, y.ts), strings.Compare(x.device, y.device), strings.Compare(x.metric, y.metric))
	})
}

// eventRows returns how many of the first rows form one event: those of one bucket of time and one device.
func eventRows(rows []row) int {
	n := 1
	for n < len(rows) && rows[n].ts == rows[0].ts && rows[n].device == rows[0].device {
		n++
	}
	return n
}

// appendEvent appends the event of a bucket.
func (r *Rows) appendEvent(dst []byte, bucket []row, b *request.Buckets) []byte {
	dst = render.AppendString(append(dst, "event: bucket\ndata: {\"device\":"...), bucket[0].device)
	dst = render.AppendTime(append(dst, `,"ts":"`...), bucket[0].ts)
	dst = append(append(append(dst, `","interval":"`...), b.Interval.String()...), `","values":{`...)
	for i, row := range bucket {
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
	return append(dst, event.Tail...)
}
