package history

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/modules/readings/timeparam"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/instant"
)

// Cursor is the position behind a point in an answer: its series and instant.
type Cursor struct {
	Device, Metric string
	TS             int64
	// Seek is where the next page has to begin reading, at most TS+1: to fill empty buckets it has to know the one before
	// them.
	Seek int64
}

// String returns the cursor as opaque text.
func (c Cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(
		fmt.Appendf(nil, "%s %s %d %d", url.QueryEscape(c.Device), url.QueryEscape(c.Metric), c.TS, c.TS+1-c.Seek))
}

var errCursor = errors.New("must be the next_cursor of an answer to the same query, or after:<device>,<metric>,<ts> of its last row")

// afterRow is what a cursor begins with that names the last row of the page before, for formats that have no place for a
// next_cursor.
const afterRow = "after:"

func parseCursor(text string) (c Cursor, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return c, errCursor
	}
	parts := strings.Split(string(raw), " ")
	if len(parts) != 4 {
		return c, errCursor
	}
	var back int64
	for i, read := range []func(string) error{
		func(s string) (err error) { c.Device, err = url.QueryUnescape(s); return err },
		func(s string) (err error) { c.Metric, err = url.QueryUnescape(s); return err },
		func(s string) (err error) { c.TS, err = strconv.ParseInt(s, 10, 64); return err },
		func(s string) (err error) { back, err = strconv.ParseInt(s, 10, 64); return err },
	} {
		if read(parts[i]) != nil {
			return Cursor{}, errCursor
		}
	}
	if c.TS < instant.Min-reach || c.TS > instant.Max+reach || back < 0 || back > instant.Max-instant.Min+2*reach {
		return Cursor{}, errCursor
	}
	c.Seek = c.TS + 1 - back
	return c, nil
}

// reach is how far before what it holds a bucket may begin.
const reach = 2 * bucket.MaxInterval

// parseRow reads the row that a page ended with.
func parseRow(text string, now time.Time) (c Cursor, err error) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 || slices.Contains(parts, "") {
		return c, errCursor
	}
	c.Device, c.Metric = parts[0], parts[1]
	// A bucket may begin before the epoch.
	if c.TS, err = timeparam.Parse(parts[2], now); err != nil || c.TS < instant.Min-reach || c.TS > instant.Max+reach {
		return Cursor{}, errCursor
	}
	c.Seek = c.TS + 1
	return c, nil
}
