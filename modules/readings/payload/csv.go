package payload

import (
	"math"
	"strconv"
	"unicode/utf8"

	"telltale/modules/readings/csvtable"
	"telltale/modules/readings/decimal"
)

// columns is what the header of a CSV body says, and the cells of its current row.
type columns struct {
	names [][]byte
	// device and ts are the indexes of these columns; ts is -1 if there is none.
	device, ts int
	// metric and value are the indexes of these columns in a table of the long form, whose rows have one value each, as
	// history is written; elsewhere, metric is -1.
	metric, value int
	series        []columnSeries
	cells         []csvtable.Cell
}

// columnSeries is the series of a column, as long as the device is the one of that selection.
type columnSeries struct {
	selection int
	series    int32
}

// decodeCSV reads the header and then an item from each row that is not blank.
func (d *Decoder) decodeCSV() error {
	table := csvtable.New(d.data, d.columns.cells)
	if !table.Next() {
		return bodyFault("is empty")
	}
	err := d.header(table)
	for err == nil && !d.body.Stopped && table.Next() && !table.Unclosed {
		d.row(table)
	}
	d.columns.cells = table.Cells
	if table.Unclosed {
		return bodyFault("is not valid CSV: the quotes opened in line %d are never closed", table.Line)
	}
	return err
}

// row takes in one row as an item.
func (d *Decoder) row(table *csvtable.Table) {
	c := &d.columns
	d.current.line = table.Line
	d.begin()
	ts := int64(noTime)
	switch {
	case table.Problem != "":
		d.reject("", "is not valid CSV: %s", table.Problem)
	case len(table.Cells) != len(c.names):
		d.reject("", "has %d cells; the header has %d", len(table.Cells), len(c.names))
	default:
		d.deviceCell(table.Cells[c.device].Trimmed())
		if c.ts >= 0 {
			ts = d.tsCell(table.Cells[c.ts].Trimmed())
		}
		if c.metric >= 0 {
			d.longCells(table.Cells)
		} else {
			d.valueCells(table.Cells)
		}
	}
	d.end(ts)
}

// longCells takes in metric and value of a row of the long form.
func (d *Decoder) longCells(cells []csvtable.Cell) {
	if d.current.bad {
		return
	}
	d.current.long = true
	name, text := cells[d.columns.metric].Trimmed(), cells[d.columns.value].Trimmed()
	if !utf8.Valid(name) {
		d.reject("metric", "is not valid UTF-8: %s", quote(name))
		return
	}
	if isNull(text) {
		d.nulls = true
		return
	}
	v, ok := cellValue(text)
	if !ok {
		d.reject("value", "%s is no value; give a finite number with a decimal point, true or false", quote(text))
		return
	}
	if series, ok := d.series(0, name, true); ok {
		d.exact(v, text)
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
		return noTime
	}
	ms, problem := d.timestamp(text)
	if problem != "" {
		d.reject("ts", "%s: %s", quote(text), problem)
	}
	return ms
}

func (d *Decoder) valueCells(cells []csvtable.Cell) {
	c := &d.columns
	for i := range cells {
		if d.current.bad {
			return
		}
		if i == c.device || i == c.ts {
			continue
		}
		text := cells[i].Trimmed()
		if len(text) == 0 || isNull(text) {
			continue
		}
		v, ok := cellValue(text)
		if !ok {
			d.rejectValue(c.names[i], "%s is no value; give a finite number with a decimal point, true, false or nothing", quote(text))
			return
		}
		d.exact(v, text)
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
	d.keep(known.series, v)
}

// isNull reports whether a cell says that there is no reading.
func isNull(text []byte) bool { return string(text) == "null" || string(text) == "NULL" }

// cellValue reads a number or boolean. Numbers may be written in ways that JSON does not know but loggers do: +1.5, 007, .5
func cellValue(text []byte) (v float64, ok bool) {
	if v, next, ok := decimal.Parse(text, 0); ok && next == len(text) {
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
