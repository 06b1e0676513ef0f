package payload

import "bytes"

// decodeJSON reads `{"readings":[item, …]}`.
func (d *Decoder) decodeJSON() error {
	if d.peek() == 0 && d.pos == len(d.data) {
		return bodyFault("is empty")
	}
	if d.peek() != '{' {
		return bodyFault(`must be an object {"readings":[…]}, is %s`, d.kind())
	}
	d.pos++
	seen := false
	for more := d.peek() != '}'; more; {
		key, ok := d.key()
		switch {
		case !ok:
			return d.syntaxFault()
		case string(key) != "readings":
			return bodyFault(`has the unknown key %s; its only key is "readings"`, quote(key))
		case seen:
			return bodyFault(`has the key "readings" twice`)
		case d.peek() != '[':
			return bodyFault(`"readings" must be an array, is %s`, d.kind())
		}
		seen = true
		if !d.items() {
			return d.syntaxFault()
		}
		if d.body.Stopped {
			return nil
		}
		if more, ok = d.more('}'); !ok {
			return d.syntaxFault()
		}
	}
	switch {
	case !seen && d.expect('}', "a key in quotes"):
		return bodyFault(`has no "readings"`)
	case d.peek() != 0 || d.pos < len(d.data):
		d.unexpected("the end")
	}
	if d.problem != "" {
		return d.syntaxFault()
	}
	return nil
}

// items reads the array of items that begins at pos.
func (d *Decoder) items() bool {
	d.pos++
	if d.peek() == ']' {
		d.pos++
		return true
	}
	for {
		ts, ok := d.item()
		if !ok {
			return false
		}
		if d.end(ts); d.body.Stopped {
			return true
		}
		if more, ok := d.more(']'); !more || !ok {
			return ok
		}
	}
}

// syntaxFault describes the scanner's problem and its position.
func (d *Decoder) syntaxFault() error {
	before := d.data[:d.problemAt]
	return bodyFault("is not valid JSON: %s at byte %d (line %d)", d.problem, d.problemAt, bytes.Count(before, []byte{'\n'})+1)
}

// decodeNDJSON reads an item from each line that is not blank. A line that is not valid JSON is a rejected item.
func (d *Decoder) decodeNDJSON() {
	all := d.data
	for next, line := 0, 1; next < len(all) && !d.body.Stopped; line++ {
		start := next
		end := len(all)
		if n := bytes.IndexByte(all[start:], '\n'); n >= 0 {
			end = start + n
		}
		next = end + 1
		d.data, d.pos, d.current.line = all[:end], start, line
		if d.peek() == 0 && d.pos == end {
			continue
		}
		d.problem = ""
		ts, ok := d.item()
		if ok && (d.peek() != 0 || d.pos < end) {
			ok = d.unexpected("the end of the line")
		}
		if !ok {
			d.reject("", "is not valid JSON: %s at byte %d of the line", d.problem, d.problemAt-start)
		}
		d.end(ts)
	}
}
