package payload

import (
	"bytes"
	"fmt"
	"strings"
)

// role is what a column or key seems to hold, by its name.
type role int

const (
	metricRole role = iota
	// timeRole and deviceRole are the usual names of the time and of the device's id.
	timeRole
	deviceRole
	// unitTime is a time in another unit or without a zone, and otherID another thing's name, or a device's by an unusual
	// name: neither is taken for what it may be, nor for a metric.
	unitTime
	otherID
)

// roles are the names in lower case, without what stands between their words.
var roles = map[string]role{
	"ts": timeRole, "time": timeRole, "timestamp": timeRole, "datetime": timeRole, "date": timeRole, "timestamputc": timeRole,
	"timeutc": timeRole, "datetimeutc": timeRole, "dateutc": timeRole, "utc": timeRole, "tsms": timeRole, "timems": timeRole,
	"timestampms": timeRole, "epochms": timeRole, "unixms": timeRole, "isotime": timeRole, "isotimestamp": timeRole,

	"epoch": unitTime, "unix": unitTime, "unixtime": unitTime, "unixtimestamp": unitTime, "epochtime": unitTime,
	"epochs": unitTime, "epochseconds": unitTime, "tss": unitTime, "timesec": unitTime, "times": unitTime, "timestamps": unitTime,
	"tsus": unitTime, "tsns": unitTime, "timeus": unitTime, "timens": unitTime, "timestampus": unitTime, "timestampns": unitTime,
	"timestampsec": unitTime, "localtime": unitTime, "timelocal": unitTime, "datelocal": unitTime, "createdat": unitTime,
	"created": unitTime, "recordedat": unitTime, "measuredat": unitTime, "updatedat": unitTime, "eventtime": unitTime,
	"receivedat": unitTime, "observedat": unitTime, "measurementtime": unitTime, "recordtime": unitTime, "zeit": unitTime,
	"zeitstempel": unitTime, "datum": unitTime,

	"device": deviceRole, "deviceid": deviceRole,
	"id": otherID, "uuid": otherID, "guid": otherID, "host": otherID, "hostname": otherID, "devicename": otherID, "deviceuid": otherID,
	"deviceuuid": otherID, "deveui": otherID, "eui": otherID, "serial": otherID, "serialno": otherID, "serialnumber": otherID,
	"mac": otherID, "macaddress": otherID, "imei": otherID, "sensorname": otherID, "sensor": otherID, "node": otherID,
	"station": otherID, "gateway": otherID, "name": otherID,
}

// longestRole is the length up to which a name may have a role.
const longestRole = 32

// roleOf returns what a name seems to be that of.
func roleOf(name []byte) role {
	if len(name) > longestRole {
		return metricRole
	}
	var plain [longestRole]byte
	n, word := 0, 0 // word is where the last word begins
	for i, c := range name {
		lower := c | 0x20
		switch {
		case lower >= 'a' && lower <= 'z':
			if c != lower && i > 0 && name[i-1]|0x20 == name[i-1] {
				word = n // camelCase
			}
			plain[n] = lower
			n++
		case isDigit(c) || c >= 0x80:
			plain[n] = c
			n++
		default:
			word = n
		}
	}
	if r, ok := roles[string(plain[:n])]; ok {
		return r
	}
	last := plain[word:n]
	switch {
	case word > 0 && (string(last) == "id" || string(last) == "uuid"):
		return otherID
	case bytes.HasSuffix(plain[:n], []byte("timestamp")), bytes.HasSuffix(plain[:n], []byte("datetime")):
		return unitTime
	}
	return metricRole
}

// suspicious reports whether a metric's name is a usual one of a reading's time or device. The first two letters rule out
// nearly all others.
func suspicious(name []byte) bool {
	if len(name) < 2 || len(name) > longestRole {
		return false
	}
	switch string([]byte{name[0] | 0x20, name[1] | 0x20}) {
	case "ts", "ti", "da", "de", "ut", "un", "is", "ep", "\x7ft": // the last is an underscore, made lower case
		r := roleOf(name)
		return r == timeRole || r == deviceRole
	}
	return false
}

// meantKey says which key of an item was probably meant, as a part of a sentence.
func meantKey(name []byte) string {
	switch roleOf(name) {
	case timeRole, unitTime:
		return `, and looks like a time: the key of a reading's time is "ts"`
	case deviceRole, otherID:
		return `, and looks like a device: the key of a reading's device is "device"`
	}
	if lower := strings.ToLower(string(name[:min(len(name), longestRole)])); lower != string(name) {
		switch lower {
		case "values", "value", "metric":
			return fmt.Sprintf(`, and looks like %q`, lower)
		}
	}
	return ""
}
