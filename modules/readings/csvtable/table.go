// Package csvtable splits CSV (RFC 4180) into rows and cells, without a copy, and without an allocation for a row of ordinary
// cells.
//
// Lines end in LF or CRLF; blank lines do not count. A row that is not valid CSV gives an error, and reading continues with the
// next line. Package payload knows what the cells mean.
package csvtable

import (
	"bytes"
	"fmt"
)

// maxCells is how many cells a row may have: as many as spreadsheets let it.
const maxCells = 16_384

// Table is the rows of a text, one after the other.
type Table struct {
	data []byte
	pos  int
	// nextLine is the line that begins at pos, counted from 0.
	nextLine int

	// Line is where the row begins, counted from 1.
	Line  int
	Cells []Cell
	// Problem says why the row is no CSV; it then ends with its line.
	Problem string
	// Unclosed tells of quotes that run to the end of the data.
	Unclosed bool
}

// New returns the table of a text. It uses the memory of cells for its own.
func New(data []byte, cells []Cell) *Table { return &Table{data: data, Line: 1, Cells: cells[:0]} }

// Cell is the text of one cell without its quotes.
type Cell []byte

// Trimmed returns the text without blanks around it, which mean nothing in ids, times and numbers.
func (c Cell) Trimmed() []byte {
	b := c
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// Next reads the next row; false at the end of the data.
func (t *Table) Next() bool {
	for t.blankLine() {
	}
	if t.pos >= len(t.data) {
		return false
	}
	t.nextLine++
	t.Line, t.Cells, t.Problem = t.nextLine, t.Cells[:0], ""
	for t.cell() {
		if len(t.Cells) == maxCells {
			t.broken(fmt.Sprintf("more than %d cells", maxCells))
			break
		}
	}
	return true
}

// blankLine skips a line with nothing in it.
func (t *Table) blankLine() bool {
	rest := t.data[t.pos:]
	switch {
	case len(rest) > 0 && rest[0] == '\n':
		t.pos++
	case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
		t.pos += 2
	default:
		return false
	}
	t.nextLine++
	return true
}

// cell reads one cell and what ends it; false when that was the end of the row.
func (t *Table) cell() bool {
	data, i := t.data, t.pos
	if i < len(data) && data[i] == '"' {
		return t.quotedCell()
	}
	for ; i < len(data); i++ {
		switch data[i] {
		case ',':
			t.Cells = append(t.Cells, data[t.pos:i])
			t.pos = i + 1
			return true
		case '\n':
			text := data[t.pos:i]
			if len(text) > 0 && text[len(text)-1] == '\r' {
				text = text[:len(text)-1]
			}
			t.Cells = append(t.Cells, text)
			t.pos = i + 1
			return false
		case '"':
			return t.broken("quotes within a cell that does not begin with them")
		}
	}
	t.Cells = append(t.Cells, bytes.TrimSuffix(data[t.pos:], []byte{'\r'}))
	t.pos = len(data)
	return false
}

// quotedCell reads a cell in quotes.
func (t *Table) quotedCell() bool {
	data, start := t.data, t.pos+1
	i := start
	var joined []byte // the text before start, if there were doubled quotes
	for {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			t.Unclosed, t.pos = true, len(data)
			return false
		}
		i += n
		if i+1 == len(data) || data[i+1] != '"' {
			break
		}
		joined = append(joined, data[start:i+1]...)
		i += 2
		start = i
	}
	text := data[start:i]
	if joined != nil {
		text = append(joined, text...)
	}
	t.nextLine += bytes.Count(data[t.pos:i], []byte{'\n'})
	t.Cells = append(t.Cells, text)
	t.pos = i + 1
	return t.afterQuotes()
}

// afterQuotes reads what ends a cell in quotes.
func (t *Table) afterQuotes() bool {
	rest := t.data[t.pos:]
	switch {
	case len(rest) == 0:
		return false
	case rest[0] == ',':
		t.pos++
		return true
	case rest[0] == '\n':
		t.pos++
		return false
	case rest[0] == '\r' && (len(rest) == 1 || rest[1] == '\n'):
		t.pos += min(2, len(rest))
		return false
	}
	return t.broken("text after the quotes of a cell")
}

// broken gives the row up and goes on behind its line.
func (t *Table) broken(problem string) bool {
	t.Problem = problem
	if n := bytes.IndexByte(t.data[t.pos:], '\n'); n >= 0 {
		t.pos += n + 1
	} else {
		t.pos = len(t.data)
	}
	return false
}
