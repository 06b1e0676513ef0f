package payload

import (
	"fmt"
	"time"

	"telltale/modules/readings/instant"
)

// tooLate says why a time is refused that no reading may have yet.
const tooLate = "is after %s, the latest time that is taken now (READINGS_MAX_AHEAD_DAYS); is the sender's clock right?"

// timestamp reads a time: RFC 3339, or Unix milliseconds in digits. It returns Unix milliseconds, or what is wrong.
func (d *Decoder) timestamp(text []byte) (ms int64, problem string) {
	ms, counted, ok := instant.Parse(text)
	if !ok {
		return 0, instant.Problem(text)
	}
	switch {
	case d.allowed(ms):
		return ms, ""
	case ms >= d.earliest && ms <= instant.Max:
		return 0, d.ahead()
	case counted:
		return 0, instant.Strange(ms, time.Millisecond, "send milliseconds")
	}
	return 0, instant.Range
}

// allowed reports whether a reading of this body may have the time. This is the one place that decides it.
func (d *Decoder) allowed(ms int64) bool { return ms >= d.earliest && ms <= d.latest }

// ahead says why a time is refused that no reading may have yet.
func (d *Decoder) ahead() string {
	return fmt.Sprintf(tooLate, time.UnixMilli(d.latest).UTC().Format(time.RFC3339))
}
