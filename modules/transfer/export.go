package transfer

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"telltale/modules/readings/render"
)

// pageReadings is how many readings one request asks for: what is lost when it breaks off, and what is held in memory.
const pageReadings = 50_000

// Selection is what is exported.
type Selection struct {
	// Devices and Metrics are as in the query of GET /api/readings; none means all.
	Devices, Metrics []string
	// From and To are times as there; empty means from the very first, and until now.
	From, To string
	// Format is CSV or NDJSON.
	Format Format
	// Page is how many readings one request asks for; 0 stands for 50,000.
	Page int
}

// String tells selections apart.
func (s Selection) String() string {
	return fmt.Sprintf("%q %q %q %q %s", s.Devices, s.Metrics, s.From, s.To, s.Format)
}

// Export writes the history selected to the file, compressed if its name ends in .gz, or to stdout for "-". It goes on with
// what an interrupted export of the same selection has left there; a file that is something else is not overwritten
// unless overwrite says so. Progress is told the number of readings written so far; it returns that of all.
func Export(
	ctx context.Context, server Server, what Selection, file string, overwrite bool, stdout io.Writer, progress func(readings int64),
) (int64, error) {
	if what.Format != CSV && what.Format != NDJSON {
		return 0, fmt.Errorf("history is not written as %q", what.Format)
	}
	what.Page = cmp.Or(what.Page, pageReadings)
	conn := connect(server, 1)
	defer conn.close()
	t, err := openTarget(file, overwrite, stdout, bookmark{Server: conn.server.URL, Selection: what.String()})
	if err != nil {
		return 0, err
	}
	run := exporting{conn: conn, what: what, to: t, progress: progress}
	if err := run.all(ctx); err != nil {
		return t.at.Readings, errors.Join(fmt.Errorf("exporting to %s: %w", t.name, err), t.close(false))
	}
	return t.at.Readings, t.close(true)
}

type exporting struct {
	conn     *connection
	what     Selection
	to       *destination
	progress func(int64)
	page     bytes.Buffer
}

func (e *exporting) all(ctx context.Context) error {
	switch {
	case e.to.at.To == 0:
		if err := e.bound(ctx); err != nil {
			return err
		}
		if e.what.Format == CSV {
			e.page.WriteString("device,metric,ts,value\n")
		}
	case e.to.at.Cursor == "":
		return nil // it had only to be told
	}
	for {
		query := e.query()
		query.Set("format", "ndjson")
		query.Set("limit", strconv.Itoa(e.what.Page))
		// As text: the server takes small numbers for seconds.
		query.Set("from", time.UnixMilli(e.to.at.From).UTC().Format("2006-01-02T15:04:05.000Z07:00"))
		query.Set("to", strconv.FormatInt(e.to.at.To, 10))
		if e.to.at.Cursor != "" {
			query.Set("cursor", e.to.at.Cursor)
		}
		answer, err := e.conn.call(ctx, http.MethodGet, "/api/readings?"+query.Encode(), "", nil)
		if err != nil {
			return err
		}
		readings, next, err := e.convert(answer)
		if err != nil {
			return fmt.Errorf("reading the server's answer: %w", err)
		}
		e.to.at.Cursor = next
		e.to.at.Readings += readings
		if err := e.to.write(e.page.Bytes()); err != nil {
			return err
		}
		e.page.Reset()
		e.progress(e.to.at.Readings)
		if next == "" {
			return nil
		}
	}
}

// bound asks the server which instants the selection's times are, so that all pages and a resumed export mean the same.
func (e *exporting) bound(ctx context.Context) error {
	query := e.query()
	query.Set("format", "json")
	query.Set("limit", "1")
	query.Set("from", e.what.From)
	if e.what.From == "" {
		query.Set("from", "0")
	}
	if e.what.To != "" {
		query.Set("to", e.what.To)
	}
	answer, err := e.conn.call(ctx, http.MethodGet, "/api/readings?"+query.Encode(), "", nil)
	if err != nil {
		return err
	}
	var bounds struct{ From, To int64 }
	if err := json.Unmarshal(answer, &bounds); err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	if bounds.To == 0 {
		return errors.New("the server's answer does not say which times it is of")
	}
	e.to.at.From, e.to.at.To = bounds.From, bounds.To
	return nil
}

func (e *exporting) query() url.Values {
	query := url.Values{}
	for _, device := range e.what.Devices {
		query.Add("device", device)
	}
	for _, metric := range e.what.Metrics {
		query.Add("metric", metric)
	}
	return query
}

// line is one line of an answer in NDJSON: a reading, or the cursor that it ends with.
type line struct {
	Device, Metric string
	TS             int64
	Value          json.Number
	NextCursor     string `json:"next_cursor"`
}

// convert appends the answer's readings to the page, in the format asked for.
func (e *exporting) convert(answer []byte) (readings int64, next string, err error) {
	scanner := bufio.NewScanner(bytes.NewReader(answer))
	scanner.Buffer(nil, maxRecord)
	for scanner.Scan() {
		text := scanner.Bytes()
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return 0, "", err
		}
		if l.Device == "" {
			next = l.NextCursor
			continue
		}
		readings++
		if e.what.Format == NDJSON {
			e.page.Write(text)
			e.page.WriteByte('\n')
			continue
		}
		// No id or name has anything in it that CSV would have to quote.
		row := append(append(append(e.page.AvailableBuffer(), l.Device...), ','), l.Metric...)
		row = append(render.AppendTime(append(row, ','), l.TS), ',')
		e.page.Write(append(append(row, l.Value...), '\n'))
	}
	return readings, next, scanner.Err()
}
