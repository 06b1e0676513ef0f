package history

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"reflect"
)

// versionOf makes a text of everything that an answer depends on.
func versionOf(from source, found survey) string {
	text := append(appendValue(nil, reflect.ValueOf(from.query)), '\n')
	text = fmt.Appendf(text, "%s %d %d\n", found.mark, found.touched, found.touchedAt)
	for i, s := range from.series {
		// What is kept of a series begins later by the moment, which matters only where the range is cut by it.
		begin := min(max(from.query.From, from.floors[i]), from.query.To)
		text = fmt.Appendf(text, "%d %q %q %q %d\n", s.ID, s.Device, s.Metric, s.Unit, begin)
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// appendValue appends a value with all that is in it: of a struct every field, whichever are added to it. What has a text of its
// own stands by that.
func appendValue(dst []byte, v reflect.Value) []byte {
	switch s, ok := v.Interface().(fmt.Stringer); {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return append(dst, " nil"...)
	case ok:
		return fmt.Appendf(dst, " %q", s.String())
	case v.Kind() == reflect.Pointer:
		return appendValue(dst, v.Elem())
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			dst = appendValue(dst, v.Field(i))
		}
		return dst
	default:
		return fmt.Appendf(dst, " %#v", v.Interface())
	}
}
