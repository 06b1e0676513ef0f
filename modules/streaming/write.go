package streaming

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"telltale/modules/readings"
)

// state says why writing to a viewer has come to an end.
type state int

const (
	current state = iota // everything that there is has been written
	absent               // what comes next is not in memory
	full                 // the socket takes no more at present
	late                 // the viewer stays behind, and wants something done about that
	torn                 // the log is not the one in which the viewer has its place
)

// errEnding says that the viewer has been told to end, or that its credentials have.
var errEnding = errors.New("the stream has to end")

// unreadable is an error of the log table.
type unreadable struct{ error }

// Unwrap returns the cause.
func (u unreadable) Unwrap() error { return u.error }

// write writes from the viewer's position on: batches first, if they are what comes next, and then what is in the window.
// It waits for the socket, for the write timeout at most, but keeps hold of nothing meanwhile except for a page, which has
// a time limit of its own; with batches it returns when the socket takes no more.
func (v *viewer) write(batches []*readings.Batch) (result state, err error) {
	defer v.disarm()
	for {
		if err := v.arm(); err != nil {
			return full, err
		}
		var poured error
		waitErr := v.raw.Write(func(fd uintptr) bool {
			before := v.bytes
			result, poured = v.pour(fd, batches)
			// On false the closure is called again once the socket takes more; after progress the deadline is put off first.
			return poured != nil || result != full || v.bytes > before || batches != nil
		})
		switch {
		case poured != nil:
			return full, poured
		case waitErr != nil:
			return full, waitErr
		case result != full || batches != nil:
			return result, nil
		}
	}
}

// arm gives the socket the write timeout to take something, less when the credentials, or the time for a page, end before.
func (v *viewer) arm() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.why != "" {
		return errEnding
	}
	now := time.Now()
	if v.expired(now) {
		return errEnding
	}
	return v.socket.SetWriteDeadline(v.orOverdue(now, v.orExpiry(v.page.orDue(now.Add(v.hub.cfg.WriteTimeout)))))
}

// disarm takes the deadline away: who parks waits for nothing, and needs no timer.
func (v *viewer) disarm() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.why == "" {
		_ = v.socket.SetWriteDeadline(time.Time{}) // an error means that the connection is closed, as the next write notices
	}
}

// pour writes until the socket is full or nothing is left in memory.
func (v *viewer) pour(fd uintptr, batches []*readings.Batch) (state, error) {
	t := trays.Get().(*tray)
	defer t.release()
	for {
		if err := v.writeRest(fd); err != nil || len(v.rest) > 0 {
			return full, err
		}
		if v.endingSoon() {
			return full, errEnding
		}
		if v.page != nil {
			v.turnPage()
			continue
		}
		if v.torn() {
			return torn, nil
		}
		if v.paced() {
			return current, nil
		}
		if v.lags() {
			return late, nil
		}
		if s, err := v.fill(t, batches); s != full || err != nil {
			return s, err
		}
		n, err := writeSome(fd, t.text)
		if err != nil {
			return full, err
		}
		events := v.account(t, n, time.Now())
		v.hub.metrics.events.Add(float64(events))
		v.hub.metrics.bytes.Add(float64(n))
		if n < len(t.text) {
			return full, nil
		}
	}
}

// writeRest writes what has to come first.
func (v *viewer) writeRest(fd uintptr) error {
	if len(v.rest) == 0 {
		return nil
	}
	n, err := writeSome(fd, v.rest)
	v.rest = v.rest[n:]
	v.bytes += int64(n)
	v.hub.metrics.bytes.Add(float64(n))
	if len(v.rest) == 0 {
		v.rest, v.wrote = nil, time.Now()
	}
	return err
}

// turnPage puts the next piece of the page in front.
func (v *viewer) turnPage() {
	events := 0
	v.rest, events = v.page.append(v.rest)
	v.events += int64(events)
	v.hub.metrics.events.Add(float64(events))
	if v.page.done() {
		v.told = v.page.at
		v.dropPage()
	}
}

// fill puts into the tray what comes next for the viewer. It returns full when there is something in it.
func (v *viewer) fill(t *tray, batches []*readings.Batch) (state, error) {
	t.reset()
	pos, result := v.pos, full
	var wanted *sought
	for asked := false; !t.full(); {
		b, s := v.next(pos.Seq, batches)
		if b == nil {
			result = s
			break
		}
		if !asked { // and not before: mostly there is nothing to be read
			wanted, asked = v.hub.sought(&v.filter), true
		}
		if int(pos.Next) >= b.Len() || !wanted.mayBeIn(b) {
			pos = Position{Seq: b.Seq}
			continue
		}
		made := v.hub.sheets.covering(b, pos.Next)
		if err := v.filter.learn(v.hub.work, made.devices); err != nil {
			return full, unreadable{err}
		}
		pos = v.filter.take(t, made, pos)
	}
	t.to = pos
	if len(t.text) > 0 {
		return full, nil
	}
	v.pos = pos
	return result, nil
}

// next returns the batch after seq, or why there is none at hand.
func (v *viewer) next(seq int64, batches []*readings.Batch) (*readings.Batch, state) {
	if len(batches) > 0 {
		if i := seq + 1 - batches[0].Seq; i >= 0 && i < int64(len(batches)) {
			return batches[i], full
		}
	}
	held, _, ok := v.hub.window.Next(seq)
	switch {
	case !ok:
		return nil, absent
	case len(held) == 0:
		return nil, current
	}
	return held[0], full
}

// account notes that the first n bytes of the tray have been written, and returns how many events begin in them.
func (v *viewer) account(t *tray, n int, now time.Time) (events int) {
	if n == 0 {
		return 0
	}
	events, v.pos, v.rest = t.written(n)
	if events > 0 {
		v.told = t.stops[events-1].after
	}
	v.wrote = now
	v.events += int64(events)
	v.bytes += int64(n)
	return events
}

// writeSome writes what the socket takes without waiting. 0 bytes and no error mean that it takes nothing.
func writeSome(fd uintptr, text []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), text)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		default:
			return max(n, 0), fmt.Errorf("writing to a viewer: %w", os.NewSyscallError("write", err))
		}
	}
}
