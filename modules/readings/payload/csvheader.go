package payload

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"telltale/modules/readings/csvtable"
)

// header takes in the names of the columns.
func (d *Decoder) header(table *csvtable.Table) error {
	c := &d.columns
	c.names, c.series, c.device, c.ts, c.metric, c.value = c.names[:0], c.series[:0], -1, -1, -1, -1
	if table.Problem != "" {
		return bodyFault("has a header that is not valid CSV: %s", table.Problem)
	}
	if err := foreign(table); err != nil {
		return err
	}
	taken := make(map[string]bool, len(table.Cells))
	for i := range table.Cells {
		name := bytes.Clone(table.Cells[i].Trimmed())
		switch {
		case len(name) == 0:
			return bodyFault("has no name for column %d in its header", i+1)
		case !utf8.Valid(name):
			return bodyFault("names column %d %s, which is not valid UTF-8", i+1, quote(name))
		case taken[string(name)]:
			return bodyFault("names the column %s twice in its header", quote(name))
		}
		taken[string(name)] = true
		if err := c.takeRole(i, name); err != nil {
			return err
		}
		c.names = append(c.names, name)
		c.series = append(c.series, columnSeries{})
	}
	return c.complete()
}

// takeRole notes what the i-th column holds, by its name. A column that looks like a time or an id is never a metric.
func (c *columns) takeRole(i int, name []byte) error {
	switch roleOf(name) {
	case timeRole:
		return c.takeOnly(&c.ts, i, name, "time")
	case deviceRole:
		return c.takeOnly(&c.device, i, name, "device")
	case unitTime:
		return bodyFault(`has a column %s in its header, which looks like a time: name it ts, and give RFC 3339 or Unix milliseconds`, quote(name))
	case otherID:
		return bodyFault(`has a column %s in its header, which looks like a name or an id: name the one that tells devices apart `+
			`device, and leave others out`, quote(name))
	}
	switch strings.ToLower(string(name)) {
	case "metric":
		c.metric = i
	case "value":
		c.value = i
	}
	return nil
}

// takeOnly notes the only column of its kind.
func (c *columns) takeOnly(column *int, i int, name []byte, kind string) error {
	if *column >= 0 {
		return bodyFault("has two columns of a %s in its header, %s and %s; leave one out", kind, quote(c.names[*column]), quote(name))
	}
	*column = i
	return nil
}

// complete checks that the columns make readings.
func (c *columns) complete() error {
	switch {
	case c.device < 0:
		return bodyFault(`has no column "device" in its header, whose columns are device, perhaps ts, and metrics`)
	case len(c.names) == 1 || (len(c.names) == 2 && c.ts >= 0):
		return bodyFault("has no column of a metric in its header")
	}
	if long := c.metric >= 0 && c.value >= 0 && len(c.names) == 3+min(c.ts+1, 1); !long {
		c.metric = -1 // nothing but metrics that happen to have these names
	}
	return nil
}

// foreign returns a fault for tables that are not separated by commas, and for those that InfluxDB answers with.
func foreign(table *csvtable.Table) error {
	if len(table.Cells) == 0 {
		return nil
	}
	first := table.Cells[0].Trimmed()
	for i := range table.Cells {
		switch string(table.Cells[i].Trimmed()) {
		case "_value", "_field", "_measurement", "_start", "_stop":
			return bodyFault(influxTable)
		}
	}
	switch {
	case bytes.HasPrefix(first, []byte("#datatype")), bytes.HasPrefix(first, []byte("#group")), bytes.HasPrefix(first, []byte("#default")):
		return bodyFault(influxTable)
	case bytes.IndexByte(first, ';') >= 0:
		return bodyFault("is separated by semicolons; separate cells by commas, and give numbers with a decimal point")
	case bytes.IndexByte(first, '\t') >= 0:
		return bodyFault("is separated by tabs; separate cells by commas")
	}
	return nil
}

const influxTable = "is a table as InfluxDB answers it; export line protocol there, or make a table of device, metric, ts and value"
