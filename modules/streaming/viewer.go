package streaming

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"telltale/modules/auth"
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

// viewer is one open stream: a filter and a cursor into the log. Its own goroutine runs it; while it is parked, a pump may
// write to it.
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

	conn net.Conn
	raw  syscall.RawConn

	mu      sync.Mutex
	discard [1]byte  // takes what the client sends, which nobody wants; the goroutine's own
	parked  bool     // the goroutine sleeps, and the pump writes
	why     reason   // why the stream has to end
	pos     Position // a parked viewer may be further; see keepUp
	told    Position // where the client believes to be, by the last id that it was sent
	rest    []byte   // has to be written before anything else
	page    *page    // comes next, nil for none
	shown   progress // for whoever looks at viewers
	wrote   time.Time
	events  int64
	bytes   int64
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

// unpark makes the viewer's goroutine the one that writes. The caller holds mu.
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

// serve runs the viewer on a connection whose response header has been sent, until the stream ends.
func (v *viewer) serve(conn net.Conn) {
	if !v.ticket.claim() {
		return // the client took longer for the header than it may
	}
	defer v.ticket.release()
	socket, ok := conn.(syscall.Conn)
	if !ok {
		v.hub.log.Error("a stream needs a socket of the operating system", zap.String("request_id", v.request.ID))
		return
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return // the connection is closed
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		// An error of either means that the connection is closed.
		_ = tcp.SetWriteBuffer(socketBytes)
		_ = silence.Limit(raw, v.hub.cfg.WriteTimeout)
	}
	v.conn, v.raw = conn, raw
	v.hub.join(v)
	why := failed
	defer func() { // also if something panics
		v.dropPage()
		v.hub.leave(v, why)
	}()
	why = v.run()
}

// run is the viewer's life: reading on by itself, and sleeping while pumps write.
func (v *viewer) run() reason {
	err := v.begin()
	for err == nil {
		if err = v.tick(time.Now()); err != nil {
			break
		}
		if err = v.catchUp(); err == nil {
			err = v.sleep()
		}
	}
	why := v.ending(err)
	v.dropPage()
	v.sayFarewell(why)
	return why
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

// park makes the pump write from now on, unless it is ahead already: then there is more to read.
func (v *viewer) park() bool {
	v.skim()
	v.mu.Lock()
	defer v.mu.Unlock()
	behind := v.pump.pos.Load() > v.pos.Seq
	if behind && !v.paced() || v.torn() {
		return false
	}
	if behind && v.buckets != nil {
		v.hasten()
	}
	v.parked = true
	v.show()
	return true
}

// wake ends the sleep of a parked viewer. The caller holds mu.
func (v *viewer) wake() {
	if v.parked {
		v.unpark()
		_ = v.conn.SetReadDeadline(past) // an error means that the connection is closed: that ends the sleep as well
	}
}

// end makes the viewer end its stream for the reason given; the first one counts.
func (v *viewer) end(why reason) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.why == "" {
		v.why = why
		v.wake()
		_ = v.conn.SetWriteDeadline(past)
	}
}

// past is a deadline that ends whatever waits.
var past = time.Unix(1, 0)
