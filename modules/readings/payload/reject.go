package payload

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"telltale/platform/fault"
)

// Fault returns the Invalid fault that lists the body's rejects, for callers who store all or nothing; nil when every item
// is good.
func (b *Body) Fault() error {
	if b.Rejected == 0 {
		return nil
	}
	f := &fault.Fault{
		Kind:    fault.Invalid,
		Message: fmt.Sprintf("%d of %d readings are not valid; nothing was stored", b.Rejected, b.Items),
		Fields:  make([]fault.Field, 0, len(b.Rejects)),
	}
	if b.Stopped {
		f.Message = fmt.Sprintf("at least %d of the first %d readings are not valid; nothing was stored, and the rest was not read", b.Rejected, b.Items)
	}
	if b.Rejected > len(b.Rejects) {
		f.Message += fmt.Sprintf(" (the first %d are listed)", len(b.Rejects))
	}
	for _, r := range b.Rejects {
		f.Fields = append(f.Fields, fault.Field{Name: r.Field, Reason: r.Reason})
	}
	return f
}

// reject rejects the current item because of the field given (relative to the item, empty for the item itself). Only the
// first reason of an item is kept.
func (d *Decoder) reject(field, format string, args ...any) {
	c := &d.current
	if c.bad {
		return
	}
	c.bad = true
	if len(d.body.Rejects) == MaxRejects {
		return
	}
	reason := format
	if len(args) > 0 {
		reason = fmt.Sprintf(format, args...)
	}
	d.body.Rejects = append(d.body.Rejects, d.body.reject(d.body.Items, c.line, field, reason))
}

// Reject describes what is wrong with an item that was accepted when the body was decoded: field is relative to the item,
// empty for the item itself. It changes nothing in the body.
func (b *Body) Reject(item int, field, reason string) Reject {
	line := 0
	if item < len(b.lines) {
		line = int(b.lines[item])
	}
	return b.reject(item, line, field, reason)
}

func (b *Body) reject(item, line int, field, reason string) Reject {
	if b.byLine {
		reason = strings.TrimPrefix(field+" "+reason, " ")
		return Reject{Index: item, Field: fmt.Sprintf("line %d", line), Reason: reason}
	}
	r := Reject{Index: item, Field: fmt.Sprintf("readings[%d]", item), Reason: reason}
	if field != "" {
		r.Field += "." + field
	}
	if line > 0 {
		r.Reason = fmt.Sprintf("line %d: %s", line, reason)
	}
	return r
}

// rejectValue rejects the current item because of one of its values.
func (d *Decoder) rejectValue(metric []byte, format string, args ...any) {
	switch {
	case d.current.bad:
	case d.current.long:
		d.reject("value", format, args...)
	case d.body.byLine:
		d.reject(clip(metric)+":", format, args...)
	default:
		d.reject("values."+clip(metric), format, args...)
	}
}

// rejectMetric rejects the current item because of the name of one of its metrics.
func (d *Decoder) rejectMetric(metric []byte, format string, args ...any) {
	if d.current.long {
		d.reject("metric", format, args...)
		return
	}
	d.rejectValue(metric, format, args...)
}

// reasonOf returns what a resolver's error has to tell the caller of the API.
func reasonOf(err error) string {
	f := fault.As(err)
	if f == nil {
		return err.Error()
	}
	if len(f.Fields) == 0 {
		return f.Message
	}
	reasons := make([]string, len(f.Fields))
	for i, field := range f.Fields {
		reasons[i] = field.Reason
	}
	return strings.Join(reasons, "; ")
}

func bodyFault(format string, args ...any) error {
	return fault.InvalidField("body", format, args...)
}

// clipped is how many bytes of the caller's text an error repeats.
const clipped = 64

// clip returns text as a valid, short string.
func clip(text []byte) string {
	if len(text) <= clipped {
		return strings.ToValidUTF8(string(text), "\uFFFD")
	}
	end := clipped
	for end > clipped-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.ToValidUTF8(string(text[:end]), "\uFFFD") + "…"
}

// quote returns clipped text in quotes.
func quote(text []byte) string { return fmt.Sprintf("%q", clip(text)) }
