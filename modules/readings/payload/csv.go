package payload

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
)

// columns is what the header of a CSV body says, and the cells of its current row.
type columns struct {
	names [][]byte
	// device and ts are the places of these columns; ts is -1 if there is none.
	device, ts int
	// metric and value are the places of these columns in a table of the long form, whose rows have one value each, as
	// history is written; elsewhere, metric is -1.
	metric, value int
	series        []columnSeries
	cells         []cell
}

// columnSeries is the series of a column, as long as the device is the one of that selection.
type columnSeries struct {
	selection int
	series    int32
}

// decodeCSV reads the header and then an item from each row that is not blank.
func (d *Decoder) decodeCSV() error {
	table := csvTable{data: d.data, line: 1, cells: d.columns.cells[:0]}
	if !table.next() {
		return bodyFault("is empty")
	}
	err := d.header(&table)
	for err == nil && table.next() && !table.unclosed {
		d.row(&table)
	}
	d.columns.cells = table.cells
	if table.unclosed {
		return bodyFault("is not valid CSV: the quotes opened in line %d are never closed", table.line)
	}
	return err
}

// header takes in the names of the columns.
func (d *Decoder) header(table *csvTable) error {
	c := &d.columns
	c.names, c.series, c.device, c.ts, c.metric, c.value = c.names[:0], c.series[:0], -1, -1, -1, -1
	if table.problem != "" {
		return bodyFault("has a header that is not valid CSV: %s", table.problem)
	}
	taken := make(map[string]bool, len(table.cells))
	for i := range table.cells {
		name := bytes.Clone(table.cells[i].trimmed())
		switch {
		case len(name) == 0:
			return bodyFault("has no name for column %d in its header", i+1)
		case !utf8.Valid(name):
			return bodyFault("names column %d %s, which is not valid UTF-8", i+1, quote(name))
		case taken[string(name)]:
			return bodyFault("names the column %s twice in its header", quote(name))
		case string(name) == "device":
			c.device = i
		case string(name) == "ts":
			c.ts = i
		case string(name) == "metric":
			c.metric = i
		case string(name) == "value":
			c.value = i
		}
		taken[string(name)] = true
		c.names = append(c.names, name)
		c.series = append(c.series, columnSeries{})
	}
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

// row takes in one row as an item.
func (d *Decoder) row(table *csvTable) {
	c := &d.columns
	d.current.line = table.line
	d.begin()
	ts := d.now
	switch {
	case table.problem != "":
		d.reject("", "is not valid CSV: %s", table.problem)
	case len(table.cells) != len(c.names):
		d.reject("", "has %d cells; the header has %d", len(table.cells), len(c.names))
	default:
		d.deviceCell(table.cells[c.device].trimmed())
		if c.ts >= 0 {
			ts = d.tsCell(table.cells[c.ts].trimmed())
		}
		if c.metric >= 0 {
			d.longCells(table.cells)
		} else {
			d.valueCells(table.cells)
		}
	}
	d.end(ts)
}

// longCells takes in metric and value of a row of the long form.
func (d *Decoder) longCells(cells []cell) {
	if d.current.bad {
		return
	}
	d.current.long = true
	name, text := cells[d.columns.metric].trimmed(), cells[d.columns.value].trimmed()
	if !utf8.Valid(name) {
		d.reject("metric", "is not valid UTF-8: %s", quote(name))
		return
	}
	v, ok := cellValue(text)
	if !ok {
		d.reject("value", "%s is no value; give a finite number with a decimal point, true or false", quote(text))
		return
	}
	if series, ok := d.series(0, name, true); ok {
		d.add(name, series, v)
	}
}

func (d *Decoder) deviceCell(id []byte) {
	if !utf8.Valid(id) {
		d.reject("device", "is not valid UTF-8: %s", quote(id))
		return
	}
	d.device(id, true)
}

func (d *Decoder) tsCell(text []byte) int64 {
	if len(text) == 0 {
		return d.now
	}
	ms, problem := timestamp(text)
	if problem != "" {
		d.reject("ts", "%s: %s", quote(text), problem)
	}
	return ms
}

func (d *Decoder) valueCells(cells []cell) {
	c := &d.columns
	for i := range cells {
		if d.current.bad {
			return
		}
		if i == c.device || i == c.ts {
			continue
		}
		text := cells[i].trimmed()
		if len(text) == 0 {
			continue
		}
		v, ok := cellValue(text)
		if !ok {
			d.rejectValue(c.names[i], "%s is no value; give a finite number with a decimal point, true, false or nothing", quote(text))
			return
		}
		d.columnValue(i, v)
	}
}

// columnValue adds the value of the i-th column to the item.
func (d *Decoder) columnValue(i int, v float64) {
	known := &d.columns.series[i]
	if known.selection != d.current.selection {
		series, ok := d.series(0, d.columns.names[i], false)
		if !ok {
			return
		}
		*known = columnSeries{d.current.selection, series}
	}
	d.body.Series = append(d.body.Series, known.series)
	d.body.Value = append(d.body.Value, v)
}

// cellValue reads a number or boolean. Numbers may be written in ways that JSON does not know but loggers do: +1.5, 007, .5
func cellValue(text []byte) (v float64, ok bool) {
	if v, next, ok := number(text, 0); ok && next == len(text) {
		return v, !math.IsInf(v, 0)
	}
	switch string(text) {
	case "true", "TRUE", "True":
		return 1, true
	case "false", "FALSE", "False":
		return 0, true
	}
	for _, c := range text {
		if !isDigit(c) && c != '+' && c != '-' && c != '.' && c|0x20 != 'e' {
			return 0, false // above all: no hexadecimals, infinities and NaN, which ParseFloat knows
		}
	}
	v, err := strconv.ParseFloat(string(text), 64)
	return v, err == nil
}
