package payload

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// charset marks bytes of ASCII.
type charset [utf8.RuneSelf]bool

// forbidden are the bytes that no name may have, and more.
func forbidden(more string) (set charset) {
	for c := range byte(utf8.RuneSelf) {
		set[c] = c <= ' ' || c == 0x7f || strings.IndexByte(`/\*?[],"'`+more, c) >= 0
	}
	return set
}

// The bytes that are percent-encoded in a measurement, tag or field: those that no name of a metric may have, and those that
// tell the parts of one apart. The dot before a field is the last of the name, so only a field's own dots are encoded.
var (
	inPart   = forbidden("%;=")
	inField  = forbidden("%;=.")
	inDevice = forbidden("")
)

// appendEncoded appends a part of a name, percent-encoded where it has to be: the bytes of the set, and what cannot be printed.
func appendEncoded(dst, part []byte, set *charset) []byte {
	start := 0
	for i := 0; i < len(part); {
		size := 1
		if c := part[i]; c < utf8.RuneSelf {
			if !set[c] {
				i++
				continue
			}
		} else {
			var r rune
			if r, size = utf8.DecodeRune(part[i:]); unicode.IsPrint(r) {
				i += size
				continue
			}
		}
		dst = append(dst, part[start:i]...)
		for range size {
			dst = append(dst, '%', upperHex[part[i]>>4], upperHex[part[i]&0xf])
			i++
		}
		start = i
	}
	return append(dst, part[start:]...)
}

// appendMetric appends the name of a metric: `measurement.field` and the suffix made of the tags. The field `value` goes
// without saying, unless the measurement has a dot, which would then seem to stand before a field. So each name stands for
// one measurement, field and tags: decoding it begins with the last dot.
func appendMetric(dst, measurement, field, suffix []byte) []byte {
	dst = append(dst, measurement...)
	if string(field) != "value" || bytes.IndexByte(measurement, '.') >= 0 {
		dst = appendEncoded(append(dst, '.'), field, &inField)
	}
	return append(dst, suffix...)
}

// appendDevice appends the id of a device, percent-encoded where ids may not have what stands there. A percent sign is
// encoded only where it would be read as an encoding.
func appendDevice(dst, name []byte) []byte {
	if string(name) == "." || string(name) == ".." {
		return append(dst, strings.Repeat("%2E", len(name))...)
	}
	for {
		i := bytes.IndexByte(name, '%')
		if i < 0 {
			return appendEncoded(dst, name, &inDevice)
		}
		dst = append(appendEncoded(dst, name[:i], &inDevice), '%')
		if name = name[i+1:]; len(name) > 1 && isHex(name[0]) && isHex(name[1]) {
			dst = append(dst, "25"...)
		}
	}
}

func isHex(c byte) bool { return isDigit(c) || (c|0x20 >= 'a' && c|0x20 <= 'f') }

const upperHex = "0123456789ABCDEF"
