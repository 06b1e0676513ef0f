package streaming

import (
	"errors"
	"time"

	"telltale/modules/readings/batchlog"
	"telltale/modules/streaming/backlog"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/wire"
)

// outcome says why writing to a viewer has come to a stop.
type outcome int

const (
	caughtUp    outcome = iota // everything that there is has been written
	notInMemory                // what comes next has to be read from the log table
	socketFull                 // the socket takes no more at present
	lagging                    // the viewer lags, and asked for something to be done then
	otherLog                   // the log is not the one in which the viewer has its position
	turnOver                   // there is more, but the viewer's turn is over
)

const (
	// turnBuffers and turnReadings bound what a viewer writes, and looks through, in one turn.
	turnBuffers  = 4
	turnReadings = 100_000
	// nearBatches is how many batches a viewer may be behind to count as nearly there.
	nearBatches = 64
)

// errEnding says that the viewer has been told to end, or that its credentials have.
var errEnding = errors.New("the stream has to end")

// unreadable is an error of the log table.
type unreadable struct{ error }

// Unwrap returns the cause.
func (u unreadable) Unwrap() error { return u.error }

// write writes from the viewer's position on what is in the window. It waits for the socket, for the write timeout at most, and
// keeps hold of nothing meanwhile except for a digest, which has a time limit of its own.
func (v *viewer) write() (result outcome, err error) {
	defer v.disarm()
	for {
		before := v.bytes
		err := v.whenWritable(func(fd uintptr) (done bool, err error) {
			result, err = v.writeOn(fd, nil)
			return result != socketFull || v.bytes > before, err // after progress the deadline is put off first
		})
		if err != nil || result != socketFull {
			return result, err
		}
	}
}

// writeBatches writes the batches, if they are what comes next, and then what is in the window. It returns when the socket takes
// no more, so that it does not keep hold of the batches.
func (v *viewer) writeBatches(batches []*batchlog.Batch) (result outcome, err error) {
	defer v.disarm()
	err = v.whenWritable(func(fd uintptr) (done bool, err error) {
		result, err = v.writeOn(fd, batches)
		return true, err
	})
	return result, err
}

// whenWritable arms the socket and runs do, and again each time that the socket takes more, until it is done or fails.
func (v *viewer) whenWritable(do func(fd uintptr) (done bool, err error)) error {
	if err := v.arm(); err != nil {
		return err
	}
	return v.conn.WhenWritable(do)
}

// arm gives the socket the write timeout to take something, less when the credentials, or the time for a digest, end before.
func (v *viewer) arm() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.state == ending {
		return errEnding
	}
	now := time.Now()
	if v.expired(now) {
		return errEnding
	}
	return v.conn.SetWriteDeadline(v.orOverdue(now, v.orExpiry(v.digest.orDue(now.Add(v.hub.cfg.WriteTimeout)))))
}

// disarm takes the deadline away: who parks waits for nothing, and needs no timer.
func (v *viewer) disarm() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.state != ending {
		_ = v.conn.SetWriteDeadline(time.Time{}) // an error means that the connection is closed, as the next write notices
	}
}

// writeOn writes until the socket is full, nothing is left in memory, or the viewer's turn is over.
func (v *viewer) writeOn(fd uintptr, batches []*batchlog.Batch) (outcome, error) {
	t := event.GetBuffer()
	defer t.Release()
	for filled := 0; ; filled++ {
		if s, err := v.prelude(fd); s != turnOver || err != nil {
			return s, err
		}
		run, s := v.next(v.pos.Stamp, batches)
		switch {
		case len(run) == 0:
			return s, nil
		case filled == turnBuffers:
			return turnOver, nil
		case filled == 0:
			if err := v.awaitTurn(v.hub.turns, batches == nil && len(run) <= nearBatches); err != nil {
				return socketFull, err
			}
			defer v.hub.turns.Give()
		}
		if s, err := v.fill(t, batches); s != socketFull || err != nil {
			return s, err
		}
		n, err := v.send(fd, t.Text())
		if err != nil {
			return socketFull, err
		}
		events := v.account(t, n, time.Now())
		v.hub.metrics.Events.Add(float64(events))
		if n < len(t.Text()) {
			return socketFull, nil
		}
	}
}

// send writes what the socket takes without waiting. Only the viewer's own goroutine may call it, within WhenWritable.
func (v *viewer) send(fd uintptr, text []byte) (int, error) {
	n, err := wire.Write(fd, text)
	v.bytes += int64(n)
	v.hub.metrics.Bytes.Add(float64(n))
	return n, err
}

// sendAtOnce writes what the socket of a parked viewer takes without waiting, and returns how much that was. The caller holds mu, and
// adds that to the metrics.
func (v *viewer) sendAtOnce(s *wire.Sender, text []byte) int {
	n := s.Send(&v.conn, text)
	v.bytes += int64(n)
	return n
}

// prelude writes what comes before readings of the log. It returns turnOver when the viewer may go on with those.
func (v *viewer) prelude(fd uintptr) (outcome, error) {
	for {
		if err := v.writeUnsent(fd); err != nil || len(v.unsent) > 0 {
			return socketFull, err
		}
		if v.endingSoon() {
			return socketFull, errEnding
		}
		switch {
		case v.digest != nil:
			v.appendPiece()
		case v.inOtherLog():
			return otherLog, nil
		case v.paced():
			return caughtUp, nil
		case v.lags():
			return lagging, nil
		default:
			return turnOver, nil
		}
	}
}

// writeUnsent writes what has to come first.
func (v *viewer) writeUnsent(fd uintptr) error {
	if len(v.unsent) == 0 {
		return nil
	}
	n, err := v.send(fd, v.unsent)
	v.unsent = v.unsent[n:]
	if len(v.unsent) == 0 {
		v.unsent, v.wrote = nil, time.Now()
	}
	return err
}

// appendPiece puts the next piece of the digest in front.
func (v *viewer) appendPiece() {
	events := 0
	v.unsent, events = v.digest.Append(v.unsent)
	v.events += int64(events)
	v.hub.metrics.Events.Add(float64(events))
	if v.digest.Done() {
		v.told = v.digest.At()
		v.freeDigest()
	}
}

// fill puts into the buffer what comes next for the viewer. It returns socketFull when there is something in it.
func (v *viewer) fill(t *event.Buffer, batches []*batchlog.Batch) (outcome, error) {
	t.Reset()
	pos, left := v.pos, turnReadings
	hint := backlog.Hint(&v.filter, v.hub.window.Head(), v.hub.registry)
	run, result := v.next(pos.Stamp, batches)
	for len(run) > 0 && !t.Full() {
		if left <= 0 {
			result = turnOver
			break
		}
		b := run[0]
		if pos.Next > 0 && b.Stamp() != pos.Stamp+1 { // the batch that it was in is none of this log
			pos.Next = 0
		}
		if int(pos.Next) >= b.Len() || !hint.MayBeIn(b) {
			left -= b.Len()
			pos = event.Position{Stamp: b.Stamp()}
		} else {
			part := v.hub.encoded.Covering(b, pos.Next)
			left -= part.Readings()
			if err := v.filter.Learn(v.hub.work, part.Devices()); err != nil {
				return socketFull, unreadable{err}
			}
			pos = t.Take(&v.filter, part, pos)
		}
		v.passed = b.Seq
		if pos.Stamp < b.Stamp() {
			continue
		}
		if run = run[1:]; len(run) == 0 {
			run, result = v.next(pos.Stamp, batches)
		}
	}
	t.To = pos
	if len(t.Text()) > 0 {
		return socketFull, nil
	}
	v.pos = pos
	return result, nil
}

// next returns batches at hand that follow a stamp, or why there are none. Those given come first.
func (v *viewer) next(stamp int64, batches []*batchlog.Batch) ([]*batchlog.Batch, outcome) {
	if newer := backlog.Newer(batches, stamp); len(newer) > 0 {
		return newer, socketFull
	}
	held, _, ok := v.hub.window.Next(stamp)
	switch {
	case !ok:
		return nil, notInMemory
	case len(held) == 0:
		return nil, caughtUp
	}
	return held, socketFull
}

// account notes that the first n bytes of the buffer have been written, and returns how many events begin in them.
func (v *viewer) account(t *event.Buffer, n int, now time.Time) (events int) {
	if n == 0 {
		return 0
	}
	w := t.Written(n)
	v.pos, v.unsent = w.At, w.Rest
	if w.Events > 0 {
		v.told = w.LastID
	}
	v.wrote = now
	v.events += int64(w.Events)
	return w.Events
}
