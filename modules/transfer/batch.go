package transfer

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

const (
	// batchRecords and batchBytes are where a batch is full: large enough for the server to be quick, small enough for it to take.
	batchRecords = 10_000
	batchBytes   = 1 << 20
)

// batch is the records of one request.
type batch struct {
	from mark
	body []byte
	// lines are those of the file in which the records begin, starts the offsets in the body.
	lines  []int
	starts []int
}

func (b *batch) add(text []byte, from mark) {
	b.lines, b.starts = append(b.lines, from.Line), append(b.starts, len(b.body))
	b.body = append(append(b.body, text...), '\n')
}

func (b *batch) full(records int) bool { return len(b.lines) >= records || len(b.body) >= batchBytes }

// Reject is a record that the server did not take.
type Reject struct {
	File   string
	Line   int
	Reason string
}

// complaint is what the server says of a part of a request.
type complaint struct {
	Index         int
	Field, Reason string
}

// receipt is what the server's answers to a batch have to say of records that are not valid.
type receipt struct {
	RejectedCount int `json:"rejected_count"`
	Rejected      []complaint
	Errors        []complaint
}

// settle reads the answer to a batch, or its refusal: how many records were rejected, and why the first of them were. The
// error says that the answer makes no sense.
func (b *batch) settle(file string, answer []byte, refused *Refusal) (rejected int, rejects []Reject, err error) {
	var r receipt
	if refused != nil {
		answer = refused.body
	}
	if len(answer) > 0 {
		err = json.Unmarshal(answer, &r)
	}
	for _, c := range append(r.Rejected, r.Errors...) {
		index, ok := b.index(c.Field)
		if !ok {
			continue // it speaks of the whole request
		}
		reason := lineOfBody.ReplaceAllString(c.Reason, "")
		if _, path, found := strings.Cut(c.Field, "]."); found {
			reason = path + " " + reason
		}
		rejects = append(rejects, Reject{File: file, Line: b.lines[index], Reason: reason})
	}
	return max(r.RejectedCount, len(rejects)), rejects, err
}

// lineOfBody is how a reason names a line of the request, which is not one of the file.
var lineOfBody = regexp.MustCompile(`^line \d+: `)

// index returns the record that a field of the server's speaks of: `readings[3].values.temperature`, `line 4`.
func (b *batch) index(field string) (index int, ok bool) {
	if text, isLine := strings.CutPrefix(field, "line "); isLine {
		line, err := strconv.Atoi(text)
		if err != nil {
			return 0, false
		}
		return b.recordAt(line)
	}
	text, isItem := strings.CutPrefix(field, "readings[")
	text, _, closed := strings.Cut(text, "]")
	index, err := strconv.Atoi(text)
	return index, isItem && closed && err == nil && index >= 0 && index < len(b.lines)
}

// recordAt returns the record that a line of the body, counted from 1, belongs to.
func (b *batch) recordAt(line int) (index int, ok bool) {
	for i := range b.starts {
		end := len(b.body)
		if i+1 < len(b.starts) {
			end = b.starts[i+1]
		}
		if line -= bytes.Count(b.body[b.starts[i]:end], []byte{'\n'}); line <= 0 {
			return i, true
		}
	}
	return 0, false
}

// target returns where batches of the syntax go.
func target(s syntax, opts Options, database string) string {
	query := url.Values{}
	if s.path == "/api/readings" {
		if opts.Skip {
			query.Set("on_error", "skip")
		}
		return s.path + "?" + query.Encode()
	}
	query.Set("on_error", map[bool]string{false: "fail", true: "partial"}[opts.Skip])
	query.Set("precision", opts.Precision)
	if database != "" {
		query.Set("bucket", database)
	}
	for _, tag := range opts.DeviceTags {
		query.Add("device_tag", tag)
	}
	return s.path + "?" + query.Encode()
}
