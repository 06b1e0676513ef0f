package transfer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Format is what a file's text is written in.
type Format string

// The formats; see the API's POST /api/readings and POST /api/v2/write for what they are.
const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
	Lines  Format = "lines"
)

// detect tells the format of a text by its first line.
func detect(in *bufio.Reader) (Format, error) {
	sample, err := in.Peek(4096)
	if len(sample) == 0 {
		return "", err
	}
	for line := range bytes.Lines(bytes.TrimPrefix(sample, bom)) {
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0 || line[0] == '#':
			continue
		case bytes.HasPrefix(bytes.ReplaceAll(line, []byte(" "), nil), []byte(`{"readings"`)):
			return "", errors.New("it is one JSON document: post it to /api/readings, or write its readings one a line")
		case line[0] == '{':
			return NDJSON, nil
		case bytes.HasPrefix(line, createDatabase):
			return Lines, nil
		}
		if cells, err := csv.NewReader(bytes.NewReader(line)).Read(); err == nil && deviceColumn(cells) >= 0 {
			return CSV, nil
		}
		if key, _ := fieldSpace(line); key && bytes.IndexByte(line, '=') > 0 {
			return Lines, nil
		}
		break
	}
	return "", errors.New("it looks like none of CSV (with a column device in its header), NDJSON and line protocol; say which by --format")
}

// createDatabase is what a statement begins with in a file of line protocol that `influx_inspect export` has written.
var createDatabase = []byte("CREATE DATABASE ")

var contextDatabase = []byte("# CONTEXT-DATABASE:")

// exportedFrom returns the name of the database that a file of `influx_inspect export` begins with, empty for other files.
func exportedFrom(in *bufio.Reader) string {
	sample, _ := in.Peek(4096)
	for line := range bytes.Lines(sample) {
		if name, found := bytes.CutPrefix(line, contextDatabase); found {
			return string(bytes.TrimSpace(name))
		}
	}
	return ""
}

var bom = []byte("\xef\xbb\xbf")

// syntax is what a text of some format has to be taken apart by.
type syntax struct {
	path, contentType string
	// header is the first record, which each request begins with; none but in CSV.
	header []byte
	// open is that of records.
	open func(text []byte) bool
	// blank reports whether the text holds no reading at all.
	blank func(text []byte) bool
	// device returns the part of the text that names the device: what is equal there may be the same device.
	device func(text []byte) []byte
}

// syntaxOf returns the syntax of a format; in CSV, once the header has been read.
func syntaxOf(f Format, header []byte, deviceTags []string) (syntax, error) {
	switch f {
	case CSV:
		cells, err := csv.NewReader(bytes.NewReader(header)).Read()
		column := deviceColumn(cells)
		if err != nil || column < 0 {
			return syntax{}, errors.New("its first line is no header with a column device")
		}
		return syntax{
			path: "/api/readings", contentType: "text/csv", header: header,
			open:   func(text []byte) bool { return bytes.Count(text, []byte{'"'})%2 == 1 },
			blank:  func(text []byte) bool { return len(text) == 0 },
			device: func(text []byte) []byte { return cellAt(text, column) },
		}, nil
	case NDJSON:
		return syntax{
			path: "/api/readings", contentType: "application/x-ndjson",
			blank:  func(text []byte) bool { return len(bytes.TrimSpace(text)) == 0 },
			device: deviceOfJSON,
		}, nil
	case Lines:
		return syntax{
			path: "/api/v2/write", contentType: "text/plain; charset=utf-8", open: openLine,
			blank: func(text []byte) bool {
				text = bytes.TrimLeft(text, " ")
				return len(text) == 0 || text[0] == '#' || bytes.HasPrefix(text, createDatabase)
			},
			device: func(text []byte) []byte { return deviceOfLine(text, deviceTags) },
		}, nil
	}
	return syntax{}, fmt.Errorf("%q is no format", f)
}

// deviceColumn returns the column that the server takes for the device, -1 if there is none.
func deviceColumn(header []string) int {
	return slices.IndexFunc(header, func(cell string) bool {
		switch strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.TrimSpace(cell))) {
		case "device", "deviceid":
			return true
		}
		return false
	})
}

// cellAt returns a cell of a row.
func cellAt(row []byte, column int) []byte {
	if bytes.IndexByte(row, '"') >= 0 {
		cells, err := csv.NewReader(bytes.NewReader(row)).Read()
		if err != nil || column >= len(cells) {
			return nil // for the server to refuse
		}
		return bytes.TrimSpace([]byte(cells[column]))
	}
	for range column {
		_, row, _ = bytes.Cut(row, []byte{','})
	}
	cell, _, _ := bytes.Cut(row, []byte{','})
	return bytes.TrimSpace(cell)
}

var deviceKey = []byte(`"device"`)

// deviceOfJSON returns the device of an item.
func deviceOfJSON(text []byte) []byte {
	if i := bytes.Index(text, deviceKey); i >= 0 && bytes.IndexByte(text, '\\') < 0 {
		rest := bytes.TrimLeft(text[i+len(deviceKey):], " \t")
		if len(rest) > 0 && rest[0] == ':' {
			rest = bytes.TrimLeft(rest[1:], " \t")
			if len(rest) > 0 && rest[0] == '"' {
				id, _, _ := bytes.Cut(rest[1:], []byte{'"'})
				return id
			}
		}
	}
	var item struct{ Device string }
	if json.Unmarshal(text, &item) != nil {
		return nil // for the server to refuse
	}
	return []byte(item.Device)
}

// fieldSpace returns the index of the space before the fields of a line, if there is one.
func fieldSpace(line []byte) (found bool, at int) {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case ' ':
			return true, i
		}
	}
	return false, 0
}

// openLine reports whether a line of line protocol ends within a quoted text.
func openLine(line []byte) bool {
	found, i := fieldSpace(line)
	if !found || line[0] == '#' {
		return false
	}
	quoted := false
	for ; i < len(line); i++ {
		switch {
		case line[i] == '\\':
			i++
		case line[i] == '"' && quoted:
			quoted = false
		case line[i] == '"' && line[i-1] == '=':
			quoted = true
		}
	}
	return quoted
}

// deviceOfLine returns the value of the first of the tags that the line has.
func deviceOfLine(line []byte, tags []string) []byte {
	if found, end := fieldSpace(line); found {
		line = line[:end]
	}
	for _, tag := range tags {
		_, rest := cutComma(line)
		for len(rest) > 0 {
			var part []byte
			part, rest = cutComma(rest)
			if key, value, _ := bytes.Cut(part, []byte{'='}); string(key) == tag {
				return value
			}
		}
	}
	return nil
}

// cutComma cuts at the first comma that is not escaped.
func cutComma(text []byte) (before, after []byte) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case ',':
			return text[:i], text[i+1:]
		}
	}
	return text, nil
}
