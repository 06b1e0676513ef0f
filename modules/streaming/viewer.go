package streaming

import (
	"errors"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"telltale/modules/streaming/admission"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/filter"
	"telltale/modules/streaming/request"
	"telltale/modules/streaming/roster"
	"telltale/modules/streaming/wire"
	"telltale/platform/httpserver"
)

// viewer is one open stream: a filter and a cursor into the log.
//
// At every time it has one owner, which alone touches its cursor. The owner is the viewer's own goroutine while that is at work:
// it opens the stream, catches up, and ends it. While the viewer is parked it has no goroutine, and its owner is the goroutine that
// holds its mu: its pump writes readings to it, and alarms write heartbeats.
type viewer struct {
	settings     // never changes
	cursor       // touched by its owner alone
	roster.Seat  // guarded by its pump's mu
	roster.Alarm // guarded by the alarms

	// conn is prepared by the viewer's own goroutine before the viewer parks for the first time, and does not change then. Only the owner
	// writes to it.
	conn wire.Conn

	mu        sync.Mutex
	state     viewerState
	why       reason   // of an ending viewer
	interrupt func()   // ends what the goroutine waits for besides its connection, nil for nothing
	shown     progress // for goroutines that do not own the viewer
}

// settings is what is known of a viewer before any other goroutine knows it.
type settings struct {
	hub     *Hub
	pump    *pump
	request *request.Request
	ticket  *admission.Ticket
	began   time.Time
	buckets *bucketing // of a viewer of buckets, nil for others; what is in it is the owner's
}

// viewerState is the state of a viewer. It says who its owner is.
type viewerState int

const (
	awake  viewerState = iota // its own goroutine is at work: it opens the stream, or catches up
	parked                    // it has no goroutine; pump and alarms write
	ending                    // it has been told to end, which its own goroutine does
)

// cursor is what the owner of a viewer alone touches.
type cursor struct {
	filter   filter.Filter
	pos      event.Position // a parked viewer may be further; see keepUp
	passed   int64          // seq of the newest batch that it has looked at by itself
	told     event.Position // where the client believes to be, by the last id that it was sent
	replaced int            // how often the log had been replaced when the viewer last looked
	pastHead pastHead       // see viewer_slow.go

	unsent []byte  // has to be written before anything else
	digest *digest // comes next, nil for none
	wrote  time.Time
	events int64
	bytes  int64

	due         time.Time // when a paced viewer gets its next readings
	fromSettled int64     // the settlement from which on a paced viewer has not got the forecasts that have become newest readings
}

// progress is how far a viewer has come, for goroutines that do not own it.
type progress struct {
	pos           event.Position
	passed        int64
	events, bytes int64
}

// progress returns how far the viewer has come, for goroutines that do not own it. The caller holds mu.
func (v *viewer) progress() progress {
	v.keepUp()
	return v.shown
}

// show lets other goroutines see how far the viewer has come. The caller holds mu.
func (v *viewer) show() { v.shown = progress{v.pos, v.passed, v.events, v.bytes} }

// serve begins the stream on a connection whose response header has been sent.
func (v *viewer) serve(socket *httpserver.Socket) {
	v.conn.Socket = socket
	if !v.ticket.Claim() { // the client took longer for the header than it may
		_ = socket.Close()
		return
	}
	v.hub.join(v)
	v.live(func() error {
		switch err := v.conn.Prepare(v.hub.hangups, v.hub.cfg.WriteTimeout, v.hungUp); {
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

// live is the viewer's own goroutine. It does something first, then catches up, and leaves the viewer parked. If that cannot be, it
// ends the stream.
func (v *viewer) live(first func() error) {
	why, left := failed, false
	defer func() { // also if something panics
		if !left { // else the viewer may have another owner already
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
	if left = err == nil; left {
		return
	}
	why = v.reasonOf(err)
	v.freeDigest()
	v.sayFarewell(why)
}

// begin puts the first words in front of the stream.
func (v *viewer) begin() error {
	v.unsent = append(event.AppendOpening(nil), v.unsent...)
	if v.digest != nil { // says itself where it is
		return nil
	}
	if v.request.Lost {
		return v.restart(event.Position{})
	}
	if v.request.From == nil {
		v.unsent = event.AppendPosition(v.unsent[:len(v.unsent)-1], v.pos)
		return nil
	}
	return v.settle(*v.request.From, zap.WarnLevel)
}

// topics returns of which devices' events the viewer has to hear from its pump.
func (v *viewer) topics() []string {
	switch {
	case v.request.Every > 0:
		return nil // it asks for newest readings when it is time
	case v.buckets == nil && v.filter.Few():
		return v.filter.Devices()
	}
	return everyStep
}

var everyStep = []string{roster.AnyDevice}
