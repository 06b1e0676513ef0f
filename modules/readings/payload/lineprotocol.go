package payload

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

// LineProtocol says how to read a body of InfluxDB line protocol, in which a line is an item:
//
//	cpu,host=web-1,cpu=cpu0 usage_idle=97.5,usage_user=1.25 1762128000000000000
//
// The device is the value of a tag. A field's metric is `measurement.field`, or just the measurement for the field `value`,
// with the other tags behind it in order of their keys: `cpu.usage_idle;cpu=cpu0`. Bytes that may not stand in the name of
// a metric, and % ; = within its parts, are percent-encoded (`;path=%2Fvar`), so that different series never get one name.
//
// Numbers are values, and booleans 0 and 1. Fields of text are passed over: they are no readings, and what sends them
// usually sends numbers beside them.
type LineProtocol struct {
	// Unit is that of the times; 0 means nanoseconds.
	Unit time.Duration
	// DeviceTags are the tags that may name the device: the first of them that a line has does. None means
	// DefaultDeviceTags.
	DeviceTags []string
}

// DefaultDeviceTags are the tags that name the device of a line. Telegraf marks each line with its host, and some of its
// inputs call parts of that host devices (`disk,device=sda1,host=web-1`): then those of several hosts must not become one.
var DefaultDeviceTags = []string{"host", "device"}

// influx is the state of the line that is being read.
type influx struct {
	units ticks
	// deviceTags are those of LineProtocol, or the default.
	deviceTags []string

	// text holds the line's tags, which the parser's memory does not keep from one call to the next.
	text []byte
	tags []tag
	// device is the device selected.
	device []byte
	// name is the metric, of which the first measured bytes are the measurement; suffix is what the tags add to it.
	name     []byte
	measured int
	suffix   []byte
}

// tag is a tag of the line: its key and value as parts of text.
type tag struct {
	key, value [2]int
}

func (x *influx) part(at [2]int) []byte { return x.text[at[0]:at[1]] }

// decodeLines reads an item from each line that is neither blank nor a comment.
func (d *Decoder) decodeLines(how *LineProtocol) {
	x := &d.influx
	d.body.byLine = true
	x.units = ticksOf(how.Unit)
	if x.deviceTags = how.DeviceTags; len(x.deviceTags) == 0 {
		x.deviceTags = DefaultDeviceTags
	}
	// The parser does not tell where it is. Given one line at a time, it is in the last one it was given.
	lines := &lineReader{data: d.data}
	parser := lineprotocol.NewDecoder(lines)
	for parser.Next() {
		d.current.line = lines.count
		d.begin()
		ts, err := d.line(parser)
		if err != nil {
			d.rejectSyntax(err)
		}
		d.end(ts)
	}
}

// line reads one line. The error is one of the parser.
func (d *Decoder) line(parser *lineprotocol.Decoder) (ts int64, err error) {
	if err := d.lineTags(parser); err != nil {
		return 0, err
	}
	d.selectDevice()
	d.nameTags()
	if err := d.lineFields(parser); err != nil {
		return 0, err
	}
	text, err := parser.TimeBytes()
	if err != nil || text == nil {
		return d.now, err
	}
	ts, ok := d.influx.units.millis(text)
	if !ok {
		d.reject("", "the time %s is none: give an integer in units of %s, between 1970-01-01 and 2200-01-01",
			clip(text), d.influx.units.unit)
	}
	return ts, nil
}

// lineTags reads the measurement and the tags.
func (d *Decoder) lineTags(parser *lineprotocol.Decoder) error {
	x := &d.influx
	measurement, err := parser.Measurement()
	if err != nil {
		return err
	}
	x.name = appendEncoded(x.name[:0], measurement)
	x.measured = len(x.name)
	x.text, x.tags = x.text[:0], x.tags[:0]
	for {
		key, value, err := parser.NextTag()
		if err != nil || key == nil {
			return err
		}
		start, middle := len(x.text), len(x.text)+len(key)
		x.text = append(append(x.text, key...), value...)
		x.tags = append(x.tags, tag{[2]int{start, middle}, [2]int{middle, len(x.text)}})
	}
}

// selectDevice selects the device that the tags name, and takes that tag out of them.
func (d *Decoder) selectDevice() {
	x := &d.influx
	for _, name := range x.deviceTags {
		i := slices.IndexFunc(x.tags, func(t tag) bool { return string(x.part(t.key)) == name })
		if i < 0 {
			continue
		}
		id := x.part(x.tags[i].value)
		if d.current.id == nil || !bytes.Equal(d.current.id, id) {
			d.current.id = nil // its bytes are about to change
			x.device = append(x.device[:0], id...)
			d.device(x.device, true)
		}
		x.tags = slices.Delete(x.tags, i, i+1)
		return
	}
	d.reject("", "no tag names the device: it takes %s", alternatives(x.deviceTags))
}

// nameTags makes the part of the metrics' names that comes from the tags.
func (d *Decoder) nameTags() {
	x := &d.influx
	slices.SortFunc(x.tags, func(a, b tag) int { return bytes.Compare(x.part(a.key), x.part(b.key)) })
	x.suffix = x.suffix[:0]
	for _, t := range x.tags {
		x.suffix = appendEncoded(append(x.suffix, ';'), x.part(t.key))
		x.suffix = appendEncoded(append(x.suffix, '='), x.part(t.value))
	}
}

// lineFields reads the fields.
func (d *Decoder) lineFields(parser *lineprotocol.Decoder) error {
	x := &d.influx
	for {
		key, kind, text, err := parser.NextFieldBytes()
		switch {
		case err != nil || key == nil:
			return err
		case d.current.bad || kind == lineprotocol.String:
			continue
		}
		x.name = x.name[:x.measured]
		if string(key) != "value" {
			x.name = appendEncoded(append(x.name, '.'), key)
		}
		x.name = append(x.name, x.suffix...)
		v, problem := fieldValue(kind, text)
		if problem != "" {
			d.rejectValue(x.name, "%s %s", clip(text), problem)
			continue
		}
		if series, ok := d.series(0, x.name, false); ok {
			d.add(x.name, series, v)
		}
	}
}

// fieldValue returns the value of a field that is no string, or says what is wrong with it.
func fieldValue(kind lineprotocol.ValueKind, text []byte) (v float64, problem string) {
	if v, next, ok := number(text, 0); ok && next == len(text) && kind == lineprotocol.Float {
		if v-v != 0 {
			return 0, "is too large for a float64"
		}
		return v, ""
	}
	value, err := lineprotocol.NewValueFromBytes(kind, text)
	switch {
	case errors.Is(err, lineprotocol.ErrValueOutOfRange):
		return 0, "is out of range"
	case err != nil:
		return 0, "is no number or boolean"
	case kind == lineprotocol.Int:
		return float64(value.IntV()), ""
	case kind == lineprotocol.Uint:
		return float64(value.UintV()), ""
	case kind == lineprotocol.Bool && value.BoolV():
		return 1, ""
	case kind == lineprotocol.Bool:
		return 0, ""
	}
	return value.FloatV(), "" // which the parser lets be finite only
}

// rejectSyntax rejects the current line for what the parser says of it.
func (d *Decoder) rejectSyntax(err error) {
	if at, ok := errors.AsType[*lineprotocol.DecodeError](err); ok {
		d.reject("", "it is not line protocol: at column %d, %s", at.Column, clip([]byte(at.Err.Error())))
		return
	}
	d.reject("", "it is not line protocol: %s", clip([]byte(err.Error())))
}
