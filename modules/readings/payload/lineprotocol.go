package payload

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"telltale/modules/readings/decimal"
	"telltale/modules/readings/instant"
)

// LineProtocol says how to read a body of InfluxDB line protocol, in which a line is an item:
//
//	cpu,host=web-1,cpu=cpu0 usage_idle=97.5,usage_user=1.25 1762128000000000000
//
// The device is the value of a tag. A field's metric is `measurement.field`, or just the measurement for the field `value`,
// with the other tags behind it in order of their keys: `cpu.usage_idle;cpu=cpu0`. What may not stand in the name of a
// metric, % ; = within its parts and dots within a field are percent-encoded (`;path=%2Fvar`), so that different series never
// get one name; see appendMetric.
//
// Numbers are values, and booleans 0 and 1. Fields of text are passed over: they are no readings, and what sends them
// usually sends numbers beside them.
type LineProtocol struct {
	// Unit is that of the times; 0 means nanoseconds.
	Unit time.Duration
	// DeviceTags are the tags that may name the device: the first of them that a line has does. None means
	// DefaultDeviceTags, then entity_id with `domain.` before it if the line has that tag, as Home Assistant sends them, and
	// then Device.
	DeviceTags []string
	// Device is the device of lines that name none; empty means that they are rejected.
	Device string
}

// DefaultDeviceTags are the tags that name the device of a line. Telegraf marks each line with its host, and some of its
// inputs call parts of that host devices (`disk,device=sda1,host=web-1`): then those of several hosts must not become one.
var DefaultDeviceTags = []string{"host", "device"}

// influx is the state of the line that is being read.
type influx struct {
	units instant.Ticks
	// deviceTags are those of LineProtocol, or the default; fallback says that other ways to name a device may be tried.
	deviceTags []string
	fallback   bool
	// other is the device of lines that name none.
	other []byte

	// text holds the line's tags, which the parser's memory does not keep from one call to the next.
	text []byte
	tags []tag
	// named is what the line says of its device, device the one that is selected.
	named, device []byte
	// name is the metric, measurement what it begins with, and suffix what the tags add to it.
	name, measurement, suffix []byte
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
	x.units = instant.TicksOf(how.Unit)
	if x.deviceTags, x.fallback = how.DeviceTags, false; len(x.deviceTags) == 0 {
		x.deviceTags, x.fallback = DefaultDeviceTags, true
	}
	x.other = append(x.other[:0], how.Device...)
	// The parser does not tell where it is. Given one line at a time, it is in the last one it was given.
	lines := &lineReader{data: d.data}
	parser := lineprotocol.NewDecoder(lines)
	for !d.body.Stopped && parser.Next() {
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
		return noTime, err
	}
	ts, problem := d.lineTime(text)
	if problem != "" {
		d.reject("", "the time %s %s", clip(text), problem)
	}
	return ts, nil
}

// lineTime reads the time of a line. It returns Unix milliseconds, or what is wrong.
func (d *Decoder) lineTime(text []byte) (ms int64, problem string) {
	t := d.influx.units
	count, ok := instant.Digits(text)
	if !ok {
		return 0, fmt.Sprintf("is none: give an integer in units of %s", t.Unit)
	}
	ms, ok = t.Millis(count)
	switch {
	case ok && d.allowed(ms):
		return ms, ""
	case ok && ms >= d.earliest:
		return 0, d.ahead()
	}
	return 0, instant.Strange(count, t.Unit, "")
}

// lineTags reads the measurement and the tags.
func (d *Decoder) lineTags(parser *lineprotocol.Decoder) error {
	x := &d.influx
	measurement, err := parser.Measurement()
	if err != nil {
		return err
	}
	x.measurement = appendEncoded(x.measurement[:0], measurement, &inPart)
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

// selectDevice selects the device that the line names, and takes the tags that do out of it.
func (d *Decoder) selectDevice() {
	x := &d.influx
	x.named = x.named[:0]
	found := false
	for i := 0; i < len(x.deviceTags) && !found; i++ {
		found = x.takeTag(x.deviceTags[i])
	}
	if !found && x.fallback {
		found = x.takeEntity() || len(x.other) > 0
	}
	if !found {
		d.reject("", "no tag names the device: it takes %s", strings.Join(x.deviceTags, " or "))
		return
	}
	if len(x.named) == 0 {
		x.named = appendDevice(x.named, x.other)
	}
	if d.current.id == nil || !bytes.Equal(d.current.id, x.named) {
		d.current.id = nil // its bytes are about to change
		x.device = append(x.device[:0], x.named...)
		d.device(x.device, true)
	}
}

// takeTag moves the value of a tag to the name of the device; false if the line has no such tag.
func (x *influx) takeTag(key string) bool {
	i := slices.IndexFunc(x.tags, func(t tag) bool { return string(x.part(t.key)) == key })
	if i < 0 {
		return false
	}
	x.named = appendDevice(x.named, x.part(x.tags[i].value))
	x.tags = slices.Delete(x.tags, i, i+1)
	return true
}

// takeEntity names the device as Home Assistant names what it sends: domain.entity_id.
func (x *influx) takeEntity() bool {
	if !slices.ContainsFunc(x.tags, func(t tag) bool { return string(x.part(t.key)) == "entity_id" }) {
		return false
	}
	if x.takeTag("domain") {
		x.named = append(x.named, '.')
	}
	return x.takeTag("entity_id")
}

// nameTags makes the part of the metrics' names that comes from the tags.
func (d *Decoder) nameTags() {
	x := &d.influx
	slices.SortFunc(x.tags, func(a, b tag) int { return bytes.Compare(x.part(a.key), x.part(b.key)) })
	x.suffix = x.suffix[:0]
	for i, t := range x.tags {
		if i > 0 && bytes.Equal(x.part(t.key), x.part(x.tags[i-1].key)) {
			d.reject("", "the tag %s stands twice in it; give it once", clip(x.part(t.key)))
			return
		}
		x.suffix = appendEncoded(append(x.suffix, ';'), x.part(t.key), &inPart)
		x.suffix = appendEncoded(append(x.suffix, '='), x.part(t.value), &inPart)
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
		x.name = appendMetric(x.name[:0], x.measurement, key, x.suffix)
		v, problem := fieldValue(kind, text)
		if problem != "" {
			d.rejectValue(x.name, "%s %s", clip(text), problem)
			continue
		}
		if series, ok := d.series(0, x.name, false); ok {
			if kind != lineprotocol.Float && kind != lineprotocol.Bool {
				d.exact(v, bytes.TrimRight(text, "iu"))
			}
			d.add(x.name, series, v)
		}
	}
}

// fieldValue returns the value of a field that is no string, or says what is wrong with it.
func fieldValue(kind lineprotocol.ValueKind, text []byte) (v float64, problem string) {
	if v, next, ok := decimal.Parse(text, 0); ok && next == len(text) && kind == lineprotocol.Float {
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
