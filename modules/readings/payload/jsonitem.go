package payload

import (
	"bytes"

	"telltale/modules/readings/instant"
)

// The keys of an item.
const allowedKeys = `its keys are "device", "ts" and "values" (or "metric" and "value")`

// key is one of the keys of an item.
type key int

const (
	keyDevice key = iota
	keyTS
	keyValues
	// keyMetric and keyValue are those of the long form.
	keyMetric
	keyValue
	keys
)

func keyOf(text []byte) (k key, ok bool) {
	switch string(text) {
	case "device":
		return keyDevice, true
	case "ts":
		return keyTS, true
	case "values":
		return keyValues, true
	case "metric":
		return keyMetric, true
	case "value":
		return keyValue, true
	}
	return 0, false
}

// fields is what an item's object has told so far.
type fields struct {
	has  [keys]bool
	time int64
	// later is where the values begin that came before their device; 0 if none did.
	later int

	// name is the metric of the long form; its form tells about it as the scanner's does about a string.
	name     []byte
	nameForm form
	// valueAt is where the value begins.
	valueAt int
}

// item reads one item, which the caller ends with the time returned. False is a syntax error.
func (d *Decoder) item() (ts int64, ok bool) {
	d.begin()
	f := fields{time: noTime}
	if !d.members(&f) {
		return 0, false
	}
	if f.later > 0 && f.has[keyDevice] && !d.current.bad {
		after := d.pos
		d.pos = f.later
		d.values()
		d.pos = after
	}
	if f.time == noTime && len(d.current.misplaced) > 0 {
		d.rejectValue(d.current.misplaced, "is no metric by its name%s, beside \"values\"", meantKey(d.current.misplaced))
	}
	switch {
	case d.current.bad:
	case !f.has[keyDevice]:
		d.reject("device", "is missing")
	case f.has[keyMetric] || f.has[keyValue]:
		d.longItem(&f)
	case !f.has[keyValues]:
		d.reject("values", "is missing")
	}
	return f.time, true
}

// longItem takes in metric and value, now that the device is known.
func (d *Decoder) longItem(f *fields) {
	switch {
	case f.has[keyValues]:
		d.reject("values", `stands beside "metric" or "value"; give the one or the others`)
		return
	case !f.has[keyMetric]:
		d.reject("metric", "is missing")
		return
	case !f.has[keyValue]:
		d.reject("value", "is missing")
		return
	}
	after := d.pos
	d.pos, d.form, d.current.long = f.valueAt, f.nameForm, true
	d.peek()
	d.value(0, f.name) // its syntax has been checked
	d.pos = after
}

// metricMember reads the name of the metric, which the value may come before.
func (d *Decoder) metricMember(f *fields) bool {
	if d.peek() != '"' {
		d.reject("metric", "is %s; a metric's name is a string", d.kind())
		return d.skip(0)
	}
	name, ok := d.text()
	if !ok {
		return false
	}
	if f.nameForm = d.form; f.nameForm&escaped != 0 {
		d.metric = append(d.metric[:0], name...) // the scanner's buffer is for the next string
		name = d.metric
	}
	f.name = name
	return true
}

func (d *Decoder) valueMember(f *fields) bool {
	d.peek()
	f.valueAt = d.pos
	return d.skip(0)
}

// members reads the item's object.
func (d *Decoder) members(f *fields) bool {
	if d.peek() != '{' {
		d.reject("", "is %s; a reading is an object, %s", d.kind(), allowedKeys)
		return d.skip(0)
	}
	d.pos++
	if d.peek() == '}' {
		d.pos++
		d.reject("", "is empty; %s", allowedKeys)
		return true
	}
	for {
		key, ok := d.key()
		if !ok || !d.member(key, f) {
			return false
		}
		if more, ok := d.more('}'); !more || !ok {
			return ok
		}
	}
}

// member reads the value of one of the item's keys.
func (d *Decoder) member(text []byte, f *fields) bool {
	if d.current.bad {
		return d.skip(0)
	}
	k, ok := keyOf(text)
	switch {
	case !ok:
		d.reject(clip(text), "is not known%s; %s", meantKey(text), allowedKeys)
		return d.skip(0)
	case f.has[k]:
		d.reject(string(text), "stands twice in one reading; give it once")
		return d.skip(0)
	}
	f.has[k] = true
	switch k {
	case keyDevice:
		return d.deviceMember()
	case keyTS:
		return d.tsMember(f)
	case keyMetric:
		return d.metricMember(f)
	case keyValue:
		return d.valueMember(f)
	}
	if !f.has[keyDevice] {
		d.peek()
		f.later = d.pos
		return d.skip(0)
	}
	return d.values()
}

func (d *Decoder) deviceMember() bool {
	if d.peek() != '"' {
		d.reject("device", "is %s; a device's id is a string", d.kind())
		return d.skip(0)
	}
	id, ok := d.text()
	if !ok {
		return false
	}
	if d.form&notUnicode != 0 {
		d.reject("device", "is not valid Unicode: %s", quote(id))
		return true
	}
	d.device(id, d.form&escaped == 0)
	return true
}

func (d *Decoder) tsMember(f *fields) bool {
	c := d.peek()
	start := d.pos
	var text []byte
	switch {
	case c == '"':
		var ok bool
		if text, ok = d.text(); !ok {
			return false
		}
	case c == 'n':
		return d.word(wordNull)
	case c == '-' || isDigit(c):
		if _, _, ok := d.number(); !ok {
			return false
		}
		text = d.data[start:d.pos]
	default:
		d.reject("ts", "is %s; %s", d.kind(), instant.Form)
		return d.skip(0)
	}
	ms, problem := d.timestamp(text)
	if problem != "" {
		d.reject("ts", "%s: %s", quote(text), problem)
		return true
	}
	f.time = ms
	return true
}

// values reads the object of an item's values.
func (d *Decoder) values() bool {
	if d.peek() != '{' {
		d.reject("values", "is %s; give an object of metrics and their values", d.kind())
		return d.skip(0)
	}
	d.pos++
	if d.peek() == '}' {
		d.pos++
		d.reject("values", "is empty; give at least one metric")
		return true
	}
	for k := 0; ; k++ {
		name, ok := d.key()
		if !ok || !d.value(k, name) {
			return false
		}
		if more, ok := d.more('}'); !more || !ok {
			return ok
		}
	}
}

// value reads the value of the item's k-th metric.
func (d *Decoder) value(k int, name []byte) bool {
	if d.form&notUnicode != 0 {
		d.rejectMetric(name, "is not valid Unicode: %s", quote(name))
	}
	if d.current.bad {
		return d.skip(0)
	}
	if suspicious(name) && !d.current.long {
		d.current.misplaced = append(d.current.misplaced[:0], name...)
	}
	series, ok := d.series(k, name, d.form&escaped == 0)
	if !ok {
		return d.skip(0)
	}
	v := 0.0
	c := d.peek()
	switch {
	case c == '-' || isDigit(c):
		start := d.pos
		var finite bool
		if v, finite, ok = d.number(); !ok {
			return false
		}
		if !finite {
			d.rejectValue(name, "%s is too large for a float64", clip(d.data[start:d.pos]))
			return true
		}
		d.exact(v, d.data[start:d.pos])
	case c == 'n':
		if d.repeated(series) {
			d.rejectValue(name, "stands twice in one reading; give it once")
		}
		d.nulls = true
		return d.word(wordNull)
	case c == 't':
		if !d.word(wordTrue) {
			return false
		}
		v = 1
	case c == 'f':
		if !d.word(wordFalse) {
			return false
		}
	default:
		d.rejectValue(name, "is %s; a value is a number or a boolean", d.kind())
		return d.skip(0)
	}
	d.add(name, series, v)
	return true
}

// kind names the kind of the value that begins at pos.
func (s *scanner) kind() string {
	switch c := s.peek(); {
	case c == '"':
		return "a string"
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case bytes.HasPrefix(s.data[s.pos:], wordTrue), bytes.HasPrefix(s.data[s.pos:], wordFalse):
		return "a boolean"
	case bytes.HasPrefix(s.data[s.pos:], wordNull):
		return "null"
	case c == '-' || isDigit(c):
		return "a number"
	}
	return "not JSON"
}
