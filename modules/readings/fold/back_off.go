package fold

import "time"

// backOff makes the pauses between tries that fail longer, up to a limit. The zero value is that of a try which has not
// failed.
type backOff struct {
	pause time.Duration
	at    time.Time // when the next try is due, after one that has failed
}

// due reports whether a try is due, otherwise being the answer when none has failed.
func (b *backOff) due(now time.Time, otherwise bool) bool {
	if b.pause > 0 {
		return !now.Before(b.at)
	}
	return otherwise
}

// note notes how a try has ended, at the time given.
func (b *backOff) note(err error, now time.Time) {
	if err == nil {
		b.pause = 0
		return
	}
	b.pause = min(max(2*b.pause, foldAgain), foldAgainMost)
	b.at = now.Add(b.pause)
}
