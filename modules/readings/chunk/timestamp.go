package chunk

import "encoding/binary"

// ParseTimestamp reads a timestamptz, microseconds since 2000, as Unix milliseconds.
func ParseTimestamp(raw []byte) int64 {
	const epoch = 946_684_800_000
	return int64(binary.BigEndian.Uint64(raw))/1000 + epoch
}
