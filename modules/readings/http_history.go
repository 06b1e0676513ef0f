package readings

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/modules/readings/history"
	"telltale/modules/readings/render"
	"telltale/modules/series"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
)

func (h handlers) history(c *fiber.Ctx) error {
	asked := history.QueryParameters.Read(c)
	now := time.Now()
	query, err := history.ParseQueryFrom(asked, now, h.service.earliest.UnixMilli())
	if err != nil {
		return err
	}
	format, err := render.Negotiate(c.Get(fiber.HeaderAccept), asked.First("format"))
	if err != nil {
		return err
	}
	// What is over seldom changes, but may: late readings come, and are corrected.
	query.Versioned = query.To < now.UnixMilli()
	c.Vary(fiber.HeaderAccept)
	c.Set(fiber.HeaderContentType, format.ContentType())
	c.Set(fiber.HeaderCacheControl, "no-store")
	ctx, stop := httpserver.WhileConnected(c)
	defer stop()
	err = httpserver.StreamCompressed(c, func(out io.Writer) error {
		a := &rendered{format: format, out: out, answer: c}
		defer a.release()
		return h.service.history.History(ctx, auth.PrincipalOf(c), query, a)
	})
	if errors.Is(err, errNotModified) {
		c.Response().Header.Del(fiber.HeaderContentType)
		c.Status(fiber.StatusNotModified)
		return nil
	}
	return err
}

// rendered is an answer in one of the formats.
type rendered struct {
	format render.Format
	out    io.Writer
	// answer is the HTTP answer whose header says what is known about the body; nil if there is none.
	answer *fiber.Ctx
	query  history.Query
	plan   history.Plan
	writer writer // nil before Begin
}

// writer writes an answer; see render.Writer.
type writer interface {
	Series(device, metric, unit string) error
	Points(ts []int64, value []float64) error
	Bucket(ts int64, values []float64) error
	End(next string) error
	Flush() error
	Release()
}

// errNotModified ends a query whose answer the client has already.
var errNotModified = errors.New("the client has this version of the answer")

// downsampledHeader says in the header what a JSON answer says in its member `downsampled`: the other formats have no
// place for it.
const downsampledHeader = "Telltale-Downsampled"

func (r *rendered) Plan(q history.Query, plan history.Plan) error {
	r.query, r.plan = q, plan
	if r.answer == nil {
		return nil
	}
	if plan.Method != "" {
		text := "method=" + string(plan.Method)
		if plan.Method == history.MinMax {
			text += "; interval=" + q.Interval.String()
		}
		r.answer.Set(downsampledHeader, text)
	}
	if plan.Version != "" {
		tag := r.tag(plan.Version)
		if httpapi.NoneMatch(r.answer, tag) {
			return nil
		}
		r.setTag(tag)
		return errNotModified
	}
	return nil
}

// OnWait implements waiter.
func (r *rendered) OnWait(waits httpserver.Waits) {
	if r.answer != nil {
		httpserver.OnWait(r.answer, waits)
	}
}

// tag returns the entity tag of a version. JSON says how far the log was read, which is not a part of the version: its tag
// is a weak one. Compression makes other bytes of the same version.
func (r *rendered) tag(version string) string {
	tag := fmt.Sprintf("%q", version+"-"+r.format.String()+httpserver.Coding(r.answer))
	if r.format == render.JSON {
		return "W/" + tag
	}
	return tag
}

func (r *rendered) setTag(tag string) {
	r.answer.Set(fiber.HeaderETag, tag)
	r.answer.Set(fiber.HeaderCacheControl, "private, no-cache")
}

func (r *rendered) Begin(stamp int64, version string) error {
	if version != "" && r.answer != nil {
		r.setTag(r.tag(version))
	}
	header := render.Header{From: r.query.From, To: r.query.To, Stamp: stamp, Downsampled: string(r.plan.Method)}
	if r.query.Interval != nil {
		if r.plan.Method == history.MinMax {
			header.DownsampledTo = r.query.Interval.String()
		} else {
			header.Interval, header.TZ = r.query.Interval.String(), r.query.Zone.String()
		}
		for _, aggregate := range r.query.Aggregates {
			header.Columns = append(header.Columns, string(aggregate))
		}
	}
	flush := func(b []byte) error {
		_, err := r.out.Write(b)
		return err
	}
	if r.format != render.Arrow {
		r.writer = render.NewWriter(r.format, header, flush)
		return nil
	}
	names := make([]render.Name, len(r.plan.Series))
	for i, s := range r.plan.Series {
		names[i] = render.Name{Device: s.Device, Metric: s.Metric}
	}
	r.writer = render.NewArrowWriter(header, names, flush)
	return nil
}

func (r *rendered) Series(s series.Series) error { return r.writer.Series(s.Device, s.Metric, s.Unit) }

func (r *rendered) Points(ts []int64, value []float64) error { return r.writer.Points(ts, value) }

func (r *rendered) Bucket(ts int64, aggregates []float64) error {
	return r.writer.Bucket(ts, aggregates)
}

func (r *rendered) End(next *history.Cursor) error {
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
