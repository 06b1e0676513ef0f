package render

import (
	"encoding/binary"
	"strconv"
	"time"
)

// millisWriter writes Unix milliseconds in digits. Times that follow each other share their upper digits for a day.
type millisWriter struct {
	// base is the multiple of 10^8 whose upper digits head holds, the first in the lowest byte; 0 for none.
	base    int64
	head    uint64
	headLen int
}

const (
	block = 100_000_000
	// Only times of 9 to 16 digits have a head that fits.
	minMillis, maxMillis = block, 9_999_999_999_999_999
)

// put writes ts at b[n:] and returns the position after it.
func (m *millisWriter) put(b []byte, n int, ts int64) int {
	low := uint64(ts - m.base) // a negative difference is out of range, too
	if low >= block || m.base == 0 {
		if ts < minMillis || ts > maxMillis {
			return len(strconv.AppendInt(b[:n], ts, 10))
		}
		low = m.rebase(ts)
	}
	binary.LittleEndian.PutUint64(b[n:], m.head)
	n += m.headLen
	binary.LittleEndian.PutUint64(b[n:], digits8(uint32(low))) // below 10^8
	return n + 8
}

// rebase makes the head that of ts, and returns what ts has beyond it.
func (m *millisWriter) rebase(ts int64) uint64 {
	var text [8]byte
	m.headLen = len(strconv.AppendInt(text[:0], ts/block, 10))
	m.head = binary.LittleEndian.Uint64(text[:])
	m.base = ts / block * block
	return uint64(ts - m.base) // not negative
}

// AppendTime appends a time in Unix milliseconds as RFC 3339 with milliseconds, in UTC: 2026-11-01T00:00:00.000Z.
func AppendTime(dst []byte, ts int64) []byte {
	return time.UnixMilli(ts).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
}

// clockWriter writes times as AppendTime does. Times that follow each other share their day and often their minute.
type clockWriter struct {
	// minute is where the minute begins that head is up to: "2026-11-01T00:00:"; day is where its day begins.
	minute, day int64
	head        [17]byte
	valid       bool
}

const (
	minuteMillis = 60_000
	dayMillis    = 24 * 60 * minuteMillis
	// maxClock is the end of the year 9999, the last of four digits.
	maxClock = 253_402_300_800_000 - 1
)

// put writes ts at b[n:] and returns the position after it.
func (c *clockWriter) put(b []byte, n int, ts int64) int {
	low := uint64(ts - c.minute) // a negative difference is out of range, too
	if low >= minuteMillis || !c.valid {
		if ts < 0 || ts > maxClock {
			return len(AppendTime(b[:n], ts))
		}
		low = c.rebase(ts)
	}
	n += copy(b[n:], c.head[:])
	d := digits8(uint32(low)) >> 24 // below 60,000: SSmmm
	binary.LittleEndian.PutUint64(b[n:], d&0xffff|'.'<<16|d>>16&0xffffff<<24|'Z'<<48)
	return n + 7
}

// rebase makes the head that of ts, and returns what ts has beyond it.
func (c *clockWriter) rebase(ts int64) uint64 {
	if day := ts / dayMillis * dayMillis; day != c.day || !c.valid {
		c.day, c.valid = day, true
		copy(c.head[:], AppendTime(make([]byte, 0, 24), day))
	}
	c.minute = ts / minuteMillis * minuteMillis
	inDay := uint32((c.minute - c.day) / minuteMillis) // below 1,440
	d := digits8(inDay/60*100 + inDay%60)
	c.head[11], c.head[12] = byte(d>>32), byte(d>>40)
	c.head[14], c.head[15] = byte(d>>48), byte(d>>56)
	return uint64(ts - c.minute) // not negative
}
