package streaming

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"telltale/modules/auth"
	"telltale/platform/httpserver"
	"telltale/platform/silence"
)

// Request is what a client asks of a stream.
type Request struct {
	Principal auth.Principal
	Selection
	// Filter is the id of a saved selection to be used, "" for none.
	Filter string
	// From is where to resume; nil means at the log's head.
	From *Position
	// Since, if From is nil, begins with the first batch committed at that time or later; zero means at the log's head.
	Since time.Time
	// Snapshot begins with the newest reading of each series.
	Snapshot bool
	// Every, if it is set, has newest readings sent at that pace instead of every event.
	Every time.Duration
	// Buckets, if it is set, has closed buckets sent instead of readings.
	Buckets *BucketRequest
	// Slow is what happens when the viewer stays behind.
	Slow slowness
	// Address and ID are the client's address and the request's id, for limits and the log.
	Address, ID string
}

// viewer is one open stream: a filter and a cursor into the log. It has a goroutine of its own only while it reads on by
// itself; while it is parked, it has none: its pump writes readings to it, and alarms write heartbeats.
type viewer struct {
	hub     *Hub
	pump    *pump
	request *Request
	filter  filter
	ticket  *ticket
	began   time.Time
	mark    mark // the goroutine's own
	// replaced is how often the log had been replaced when the viewer last looked.
	replaced int
	due      time.Time  // when a paced viewer gets its next readings; the goroutine's own, and guarded by mu while it is parked
	buckets  *bucketing // of a viewer of buckets, guarded like due; nil for others
	member   int        // index among the pump's viewers, guarded by the pump's mu
	places   []int      // index among the pump's viewers of each topic, guarded likewise

	socket  *httpserver.Socket
	raw     syscall.RawConn
	unwatch func()    // ends the watch for the client's end
	rings   time.Time // when alarms look at it, guarded like slot
	slot    int       // where it is among them, from 1; 0 when it is not; guarded by their mu

	mu        sync.Mutex
	parked    bool     // no goroutine is at work, and the pump writes
	why       reason   // why the stream has to end
	interrupt func()   // ends what the goroutine waits for besides its connection, nil for nothing
	pos       Position // a parked viewer may be further; see keepUp
	told      Position // where the client believes to be, by the last id that it was sent
	rest      []byte   // has to be written before anything else
	page      *page    // comes next, nil for none
	shown     progress // for whoever looks at viewers
	wrote     time.Time
	events    int64
	bytes     int64
}

// progress is how far a viewer has come, as others may see it.
type progress struct {
	pos           Position
	events, bytes int64
}

// keepUp takes a parked viewer to where its pump has served everybody: what lies between did not concern it, or it would be
// there. Paced viewers are served by nobody. The caller holds mu.
func (v *viewer) keepUp() {
	if served := (Position{Seq: v.pump.served.Load()}); v.parked && !v.paced() && v.pos.before(served) {
		v.pos = served
		v.show()
	}
}

// unpark keeps the pump from writing. The caller holds mu.
func (v *viewer) unpark() {
	v.keepUp()
	v.parked = false
}

// progress returns how far the viewer has come. The caller holds mu.
func (v *viewer) progress() progress {
	v.keepUp()
	return v.shown
}

// show lets others see how far the viewer has come. The caller holds mu.
func (v *viewer) show() { v.shown = progress{v.pos, v.events, v.bytes} }

// socketBytes bounds what the system holds back for one viewer. Left alone it would grow to megabytes: memory for each slow
// viewer, and so long a queue that a slow but steady client would seem to take nothing for a whole write timeout.
const socketBytes = 128 << 10

// serve begins the stream on a connection whose response header has been sent.
func (v *viewer) serve(socket *httpserver.Socket) {
	v.socket = socket
	if !v.ticket.claim() { // the client took longer for the header than it may
		_ = socket.Close()
		return
	}
	v.hub.join(v)
	v.live(func() error {
		switch err := v.attach(); {
		case errors.Is(err, net.ErrClosed): // the client did not take the header, or the server has cut the connection
			return err
		case err != nil:
			v.hub.log.Error("a stream's connection cannot be watched", zap.String("request_id", v.request.ID), zap.Error(err))
			v.end(failed)
			return err
		}
		return v.begin()
	})
}

// attach prepares the connection for being written to by others, and has its end noticed.
func (v *viewer) attach() (err error) {
	conn, ok := v.socket.Conn.(syscall.Conn)
	if !ok {
		return errors.New("a stream needs a socket of the operating system")
	}
	if v.raw, err = conn.SyscallConn(); err != nil {
		return err
	}
	if tcp, ok := v.socket.Conn.(*net.TCPConn); ok {
		// An error of either means that the connection is closed.
		_ = tcp.SetWriteBuffer(socketBytes)
		_ = silence.Limit(v.raw, v.hub.cfg.WriteTimeout)
	}
	v.unwatch, err = v.hub.hangups.Watch(v.socket.Conn, func(err error) { v.end(endOf(err)) })
	return err
}

// turn is what a viewer does between two sleeps.
func (v *viewer) turn() { v.live(func() error { return nil }) }

// live does something first, then reads on until everything has been written, and leaves the viewer parked. If that cannot
// be, the stream ends.
func (v *viewer) live(first func() error) {
	why, parked := failed, false
	defer func() { // also if something panics
		if !parked { // or somebody else may be at work on the viewer already
			v.finish(why)
		}
	}()
	err := first()
	if err == nil {
		err = v.tick(time.Now())
	}
	if err == nil {
		err = v.catchUp()
	}
	if parked = err == nil; parked {
		return
	}
	why = v.ending(err)
	v.dropPage()
	v.sayFarewell(why)
}

// finish ends the stream. Nobody writes to the viewer any more.
func (v *viewer) finish(why reason) {
	if v.unwatch != nil {
		v.unwatch()
	}
	v.hub.alarms.remove(v)
	v.dropPage()
	v.hub.leave(v, why)
	v.ticket.release()
	_ = v.socket.Close() // an error means that the client was quicker
}

// dropPage gives back the room that the page takes, if there is one.
func (v *viewer) dropPage() {
	if v.page != nil {
		v.page.free()
		v.page = nil
	}
}

// begin puts the first words in front of the stream.
func (v *viewer) begin() error {
	v.rest = append(appendOpening(nil), v.rest...)
	if v.page != nil { // says itself where it is
		return nil
	}
	if v.request.From == nil {
		v.rest = appendPosition(v.rest[:len(v.rest)-1], v.pos)
		return nil
	}
	head := v.hub.window.Head()
	if v.pos.reached() <= head {
		return nil
	}
	// Another instance may have sent what this one has not heard of yet. Otherwise the log is not the one it was.
	ctx, cancel := context.WithTimeout(v.hub.work, readTimeout)
	defer cancel()
	state, err := v.hub.table.State(ctx)
	if err != nil {
		return unreadable{err}
	}
	if v.pos.reached() <= max(state.Head, head) {
		return nil
	}
	return v.restart(max(state.Head, head))
}

// restart goes on at the head of a log that is not the one in which the viewer had its place, with an event that says so.
func (v *viewer) restart(head int64) (err error) {
	v.hub.metrics.gaps.Inc()
	at := Position{Seq: head, Until: v.pos.Until}
	v.rest, err = appendReset(v.rest, v.pos, at, v.request.historyURL("", ""))
	v.pos, v.told = at, at
	v.mark = mark{seq: head}
	return err
}

// torn reports whether the log has been replaced since the viewer last looked.
func (v *viewer) torn() bool {
	times, _ := v.hub.window.Replaced()
	return times != v.replaced
}

// catchUp reads on until everything has been written, and parks.
func (v *viewer) catchUp() error {
	for {
		state, err := v.write(nil)
		if err != nil {
			return err
		}
		switch state {
		case current:
			if v.park() {
				return nil
			}
		case absent:
			if err := v.load(); err != nil {
				return err
			}
		case late:
			if err := v.hurry(); err != nil {
				return err
			}
		case torn:
			times, head := v.hub.window.Replaced()
			v.replaced = times
			if err := v.restart(head); err != nil {
				return err
			}
		}
	}
}

// load reads on from the log table what the window no longer holds, and writes as much as the socket takes. What it does
// not take is dropped and found again.
func (v *viewer) load() error {
	batches, missing, err := v.hub.backlog.after(v.hub.work, logPlace{v.replaced, v.pos.Seq}, v.hub.window.Head())
	switch {
	case err != nil:
		return unreadable{err}
	case missing != nil:
		return v.skip(*missing)
	}
	if state, err := v.write(batches); err != nil || state != late {
		return err
	}
	return v.hurry()
}

// park makes the pump write from now on, unless it is ahead already: then there is more to read. Once it has returned true,
// the viewer may be anybody's.
func (v *viewer) park() bool {
	v.skim()
	v.mu.Lock()
	defer v.mu.Unlock()
	behind := v.pump.pos.Load() > v.pos.Seq
	if behind && !v.paced() || v.torn() || v.why != "" {
		return false // in the last case, to meet the end
	}
	if behind && v.buckets != nil {
		v.hasten()
	}
	v.parked = true
	v.show()
	v.hub.alarms.set(v, v.alarm())
	return true
}

// wake has a parked viewer read on by itself. The caller holds mu.
func (v *viewer) wake() {
	if v.parked {
		v.unpark()
		v.socket.Go(v.turn)
	}
}

// end makes the viewer end its stream for the reason given; the first one counts.
func (v *viewer) end(why reason) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.why != "" {
		return
	}
	v.why = why
	v.wake()
	_ = v.socket.SetWriteDeadline(past) // an error means that the connection is closed
	if v.interrupt != nil {
		v.interrupt()
	}
}

// past is a deadline that ends whatever waits.
var past = time.Unix(1, 0)
