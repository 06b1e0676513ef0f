package bench

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// The shape of all data, which is that of the engine's own benchmarks: 100 devices with two metrics, a reading
// of each every 10 s.
const (
	fleet = 100
	step  = 10_000 // ms
	hour  = 3_600_000
	day   = 24 * hour
)

// dataStart is the first instant of all data.
var dataStart = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

var metrics = [2]string{"humidity", "temperature"}

func deviceName(i int) string { return fmt.Sprintf("device-%03d", i) }

// value is a plausible one with one decimal: a daily swing with noise, different for each series.
func value(series int, ts int64, random *rand.Rand) float64 {
	phase := 2 * math.Pi * float64(ts%day) / float64(day)
	return math.Round(10*(20+float64(series%7)+5*math.Sin(phase)+random.NormFloat64()*0.3)) / 10
}

// body is a JSON body of readings, and where the timestamps are in it.
type body struct {
	text   []byte
	stamps []stamp
}

// stamp is a timestamp of 13 digits: its offset, and its distance in ms from the first instant of the body.
type stamp struct {
	at    int
	after int64
}

// makeBody returns a body of the given number of items that begins at ts, round by round: one item of each device, then 10 s later
// the next of each.
func makeBody(devices []int, items int, ts int64, random *rand.Rand) body {
	b := body{text: []byte(`{"readings":[`)}
	for i := range items {
		device, after := devices[i%len(devices)], int64(i/len(devices))*step
		if i > 0 {
			b.text = append(b.text, ',')
		}
		b.text = append(b.text, `{"device":"`+deviceName(device)+`","ts":`...)
		b.stamps = append(b.stamps, stamp{len(b.text), after})
		b.text = strconv.AppendInt(b.text, ts+after, 10)
		for k, metric := range metrics {
			b.text = append(b.text, [2]string{`,"values":{"`, `,"`}[k]+metric+`":`...)
			b.text = strconv.AppendFloat(b.text, value(2*device+k, ts+after, random), 'f', -1, 64)
		}
		b.text = append(b.text, `}}`...)
	}
	b.text = append(b.text, `]}`...)
	return b
}

// setStamps overwrites the body's timestamps in text, so that the body begins at ts.
func setStamps(text []byte, stamps []stamp, ts int64) {
	for _, s := range stamps {
		v := ts + s.after
		for i := s.at + 12; i >= s.at; i-- {
			text[i] = byte('0' + v%10)
			v /= 10
		}
	}
}

// rowBytes is the size of a row of the plain table in COPY's binary format.
const rowBytes = 2 + 4 + 4 + 4 + 8 + 4 + 8

// appendRow appends a row of the plain table in COPY's binary format.
func appendRow(b []byte, series int, ts int64, value float64) []byte {
	b = binary.BigEndian.AppendUint16(b, 3)
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, 4), uint32(series))
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), pgTime(ts))
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), math.Float64bits(value))
}

// setRowTime overwrites the timestamp of the row that begins at b.
func setRowTime(b []byte, ts int64) { binary.BigEndian.PutUint64(b[14:], pgTime(ts)) }

// pgTime is a timestamptz: microseconds since 2000.
func pgTime(ts int64) uint64 { return uint64(ts-946_684_800_000) * 1000 }

// copyHeader and copyEnd enclose the rows of COPY's binary format.
var (
	copyHeader = append([]byte("PGCOPY\n\xff\r\n\x00"), 0, 0, 0, 0, 0, 0, 0, 0)
	copyEnd    = []byte{0xff, 0xff}
)

const copyPlain = `COPY plain FROM STDIN (FORMAT binary)`
