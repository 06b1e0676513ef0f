package instant

import (
	"bytes"
	"math"
	"time"
)

// What can be wrong with a time, in words for the caller.
const (
	Form     = "give RFC 3339 with an offset (2026-11-01T00:00:00Z) or Unix milliseconds as an integer"
	noOffset = "give the offset from UTC too: Z or ±hh:mm"
	Range    = "times of readings lie between 1971-01-01 and 2200-01-01; is the sender's clock set?"
)

// Problem says what is wrong with a time that could not be read.
func Problem(text []byte) string {
	if _, ok := rfc3339(append(text[:len(text):len(text)], 'Z')); ok {
		return noOffset
	}
	whole, fraction, _ := bytes.Cut(text, []byte{'.'})
	count, ok := Digits(whole)
	if _, isFraction := Digits(fraction); !ok || !isFraction {
		return Form
	}
	if i := likely(count); i >= 0 {
		return "looks like " + units[i].name + " with a fraction; send milliseconds as an integer"
	}
	return Form
}

// Digits reads an integer. What is too long for any time becomes one that is out of range.
func Digits(text []byte) (n int64, ok bool) {
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	if len(text) == 0 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n > math.MaxInt64/10-1 {
			n = math.MaxInt64
			continue
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// rfc3339 reads a time such as 2026-11-01T00:00:00.123+01:00 and returns Unix milliseconds; what is finer is cut off. As
// the standard allows, T and Z may be lower case and a space may stand for the T. Leap seconds (:60) are not read.
func rfc3339(b []byte) (ms int64, ok bool) {
	if len(b) < len("2026-11-01T00:00:00Z") || b[4] != '-' || b[7] != '-' || b[13] != ':' || b[16] != ':' ||
		(b[10]|0x20 != 't' && b[10] != ' ') {
		return 0, false
	}
	bad := 0
	year := two(b, 0, &bad)*100 + two(b, 2, &bad)
	month, day := two(b, 5, &bad), two(b, 8, &bad)
	hour, minute, second := two(b, 11, &bad), two(b, 14, &bad), two(b, 17, &bad)
	if bad != 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	ms = int64(daysSinceEpoch(year, month, day)*86400+hour*3600+minute*60+second) * 1000
	i := 19
	if b[i] == '.' {
		fraction, end := milliseconds(b, i+1)
		if end == i+1 {
			return 0, false
		}
		ms += fraction
		i = end
	}
	offset, ok := zone(b[i:])
	return ms - offset, ok
}

// two reads two digits at i; bad becomes non-zero if they are none.
func two(b []byte, i int, bad *int) int {
	tens, units := b[i]-'0', b[i+1]-'0'
	if tens > 9 || units > 9 {
		*bad = 1
	}
	return int(tens)*10 + int(units)
}

// milliseconds reads the digits of a fraction of a second at i, of which three count.
func milliseconds(b []byte, i int) (ms int64, end int) {
	for scale := int64(100); i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		ms += int64(b[i]-'0') * scale
		scale /= 10
	}
	return ms, i
}

// zone reads Z or an offset such as +01:00, in milliseconds.
func zone(b []byte) (offset int64, ok bool) {
	if len(b) == 1 {
		return 0, b[0]|0x20 == 'z'
	}
	if len(b) != len("+01:00") || b[3] != ':' || (b[0] != '+' && b[0] != '-') {
		return 0, false
	}
	bad := 0
	hour, minute := two(b, 1, &bad), two(b, 4, &bad)
	if bad != 0 || hour > 23 || minute > 59 {
		return 0, false
	}
	offset = int64(hour*3600+minute*60) * 1000
	if b[0] == '-' {
		offset = -offset
	}
	return offset, true
}

func daysIn(year, month int) int {
	switch time.Month(month) {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSinceEpoch counts the days from 1970-01-01 in the Gregorian calendar, for years from 0 on. Years are taken to begin
// in March, which puts the leap day at their end (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
func daysSinceEpoch(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	year += 400 // keeps the divisions positive
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468 - 146097
}
