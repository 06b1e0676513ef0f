package readings

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/modules/readings/render"
	"telltale/platform/httpserver"
)

func (h handlers) history(c *fiber.Ctx) error {
	values := queryValues(c)
	query, err := ParseQuery(values, time.Now())
	if err != nil {
		return err
	}
	format, err := render.Negotiate(c.Get(fiber.HeaderAccept), values.Get("format"))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, format.ContentType())
	c.Set(fiber.HeaderCacheControl, "no-store")
	return httpserver.Stream(c, func(out io.Writer) error {
		return h.service.render(c.UserContext(), auth.PrincipalOf(c), query, format, out)
	})
}

// render writes the answer to a query to out.
func (s *Service) render(ctx context.Context, who auth.Principal, q Query, format render.Format, out io.Writer) error {
	a := &rendered{query: q, format: format, out: out}
	defer a.release()
	return s.History(ctx, who, q, a)
}

// rendered is an answer in one of the formats.
type rendered struct {
	query  Query
	format render.Format
	out    io.Writer
	writer *render.Writer // nil before Begin
}

func (r *rendered) Begin(seq int64) error {
	header := render.Header{From: r.query.From, To: r.query.To, Seq: seq}
	if r.query.Interval != nil {
		header.Interval, header.TZ = r.query.Interval.String(), r.query.Zone.String()
		for _, aggregate := range r.query.Aggregates {
			header.Columns = append(header.Columns, string(aggregate))
		}
	}
	r.writer = render.NewWriter(r.format, header, func(b []byte) error {
		_, err := r.out.Write(b)
		return err
	})
	return nil
}

func (r *rendered) Series(s devices.Series) error { return r.writer.Series(s.Device, s.Metric, s.Unit) }

func (r *rendered) Points(ts []int64, value []float64) error { return r.writer.Points(ts, value) }

func (r *rendered) Bucket(ts int64, aggregates []float64) error {
	return r.writer.Bucket(ts, aggregates)
}

func (r *rendered) End(next *Cursor) error {
	cursor := ""
	if next != nil {
		cursor = next.String()
	}
	if err := r.writer.End(cursor); err != nil {
		return err
	}
	return r.writer.Flush()
}

func (r *rendered) release() {
	if r.writer != nil {
		r.writer.Release()
	}
}

func (h handlers) latest(c *fiber.Ctx) error {
	wanted, metrics, err := parseLatest(queryValues(c))
	if err != nil {
		return err
	}
	states, err := h.service.Latest(auth.PrincipalOf(c), wanted, metrics)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Response().SetBodyRaw(appendLatest(make([]byte, 0, 128*len(states)+16), states))
	return nil
}

// appendLatest appends the JSON of an answer about the newest readings.
func appendLatest(b []byte, states []devices.SeriesState) []byte {
	b = append(b, `{"series":[`...)
	for i, s := range states {
		if i > 0 {
			b = append(b, ',')
		}
		b = render.AppendString(append(b, `{"device":`...), s.Device)
		b = render.AppendString(append(b, `,"metric":`...), s.Metric)
		b = render.AppendString(append(b, `,"unit":`...), s.Unit)
		b = strconv.AppendInt(append(b, `,"ts":`...), s.LastTS, 10)
		b = render.AppendFloat(append(b, `,"value":`...), s.LastValue)
		b = append(b, '}')
	}
	return append(b, `]}`...)
}
