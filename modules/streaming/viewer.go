package streaming

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"telltale/platform/httpserver"
	"telltale/platform/silence"
)

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
	parked    bool     // no goroutine is at work, and pump and alarms write
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
		if err := v.hub.recheckNewcomer(v); err != nil {
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
