package batchlog

import "time"

// A stamp is the name that a batch has outside the program, and its position there: when it was committed, in µs since the epoch,
// by the database's clock. Along the log stamps strictly ascend, as appends see to under their lock. Unlike a seq, which another
// batch may be given once the log has lost its end, a stamp is that of one batch only, even when the log is replaced.
//
// 0 is the position before every batch.

// Stamp returns the batch's name outside the program.
func (b *Batch) Stamp() int64 { return b.CommittedAt.UnixMicro() }

// maxStamp is the newest stamp that is looked for, in the year 2255: what follows is none, and PostgreSQL has no time for it.
const maxStamp = 1<<53 - 1

// TimeOf returns the time of a stamp that a client may have made up.
func TimeOf(stamp int64) time.Time { return time.UnixMicro(max(0, min(stamp, maxStamp))) }

// stampOf returns the stamp of a time in the database, 0 when there is none.
func stampOf(at *time.Time) int64 {
	if at == nil {
		return 0
	}
	return at.UnixMicro()
}
