package payload

import "strings"

// encoded marks the bytes of ASCII that appendEncoded does not let through: those that no name of a metric may have, and
// those that tell the parts of one apart.
var encoded = func() (table [256]bool) {
	for c := range byte(0x80) {
		table[c] = c <= ' ' || c == 0x7f || strings.IndexByte("/\\*?[],\"'%;=", c) >= 0
	}
	return table
}()

// appendEncoded appends a part of a metric's name, percent-encoded where it has to be.
func appendEncoded(dst, part []byte) []byte {
	start := 0
	for i, c := range part {
		if encoded[c] {
			dst = append(append(dst, part[start:i]...), '%', upperHex[c>>4], upperHex[c&0xf])
			start = i + 1
		}
	}
	return append(dst, part[start:]...)
}

const upperHex = "0123456789ABCDEF"

// alternatives lists words for a sentence: host or device.
func alternatives(words []string) string { return strings.Join(words, " or ") }
