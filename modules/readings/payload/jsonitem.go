package payload

import "bytes"

// The keys of an item.
const allowedKeys = `its keys are "device", "ts" and "values" (or "metric" and "value")`

// fields is what an item's object has told so far.
type fields struct {
	device, ts, values bool
	time               int64
	// later is where the values begin that came before their device; 0 if none did.
	later int

	// metric and value are the keys of the long form. The name's form tells about it as the scanner's does about a string.
	metric, value bool
	name          []byte
	nameForm      form
	// valueAt is where the value begins.
	valueAt int
}

// item reads one item, which the caller ends with the time returned. False is a syntax error.
func (d *Decoder) item() (ts int64, ok bool) {
	d.begin()
	f := fields{time: d.now}
	if !d.members(&f) {
		return 0, false
	}
	if f.later > 0 && f.device && !d.current.bad {
		after := d.pos
		d.pos = f.later
		d.values()
		d.pos = after
	}
	switch {
	case d.current.bad:
	case !f.device:
		d.reject("device", "is missing")
	case f.metric || f.value:
		d.longItem(&f)
	case !f.values:
		d.reject("values", "is missing")
	}
	return f.time, true
}

// longItem takes in metric and value, now that the device is known.
func (d *Decoder) longItem(f *fields) {
	switch {
	case f.values:
		d.reject("values", `stands beside "metric" or "value"; give the one or the others`)
		return
	case !f.metric:
		d.reject("metric", "is missing")
		return
	case !f.value:
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
func (d *Decoder) member(key []byte, f *fields) bool {
	if d.current.bad {
		return d.skip(0)
	}
	var again *bool
	switch string(key) {
	case "device":
		again = &f.device
	case "ts":
		again = &f.ts
	case "values":
		again = &f.values
	case "metric":
		again = &f.metric
	case "value":
		again = &f.value
	default:
		d.reject(clip(key), "is not known; %s", allowedKeys)
		return d.skip(0)
	}
	if *again {
		d.reject(string(key), "stands twice in one reading; give it once")
		return d.skip(0)
	}
	*again = true
	switch again {
	case &f.device:
		return d.deviceMember()
	case &f.ts:
		return d.tsMember(f)
	case &f.metric:
		return d.metricMember(f)
	case &f.value:
		return d.valueMember(f)
	}
	if !f.device {
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
		d.reject("ts", "is %s; %s", d.kind(), tsForm)
		return d.skip(0)
	}
	ms, problem := timestamp(text)
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
