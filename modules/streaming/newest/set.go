package newest

import (
	"cmp"
	"slices"
	"strconv"

	"telltale/modules/series"
	"telltale/modules/streaming/event"
)

// pieceBytes is about how much Append appends at once.
const pieceBytes = 16 << 10

// set is the newest readings of series as of one batch.
type set struct {
	at     event.Position
	states []series.State // what is left of it, device by device
	free   func()         // gives the bytes back, once
}

// At returns the position of a viewer that has got the whole set.
func (s *set) At() event.Position { return s.at }

// Done reports whether nothing is left.
func (s *set) Done() bool { return len(s.states) == 0 }

// Free gives the bytes back to the budget.
func (s *set) Free() { s.free() }

// nextDevice takes out the states of the next device.
func (s *set) nextDevice() (states []series.State) {
	n := 1
	for n < len(s.states) && s.states[n].Device == s.states[0].Device {
		n++
	}
	states, s.states = s.states[:n], s.states[n:]
	return states
}

// Snapshot holds newest readings as events of their own kind, one for each device and instant. An event with the position ends
// it.
type Snapshot struct{ set }

// Append appends the next piece, the position with the last one, and returns how many events the piece has.
func (s *Snapshot) Append(dst []byte) (_ []byte, events int) {
	for start := len(dst); !s.Done() && len(dst)-start < pieceBytes; {
		device := s.nextDevice()
		slices.SortStableFunc(device, func(a, b series.State) int { return cmp.Compare(a.LastTS, b.LastTS) })
		for len(device) > 0 {
			n := 1
			for n < len(device) && device[n].LastTS == device[0].LastTS {
				n++
			}
			dst = event.AppendValues(append(dst, "event: snapshot\n"...), device[:n], device[0].LastTS)
			device = device[n:]
			events++
		}
	}
	if s.Done() {
		dst = event.AppendPosition(dst, s.at)
	}
	return dst, events
}

// Update holds newest readings as events of readings, one for each device. The last one has an id.
type Update struct {
	set
	fromSettled int64
}

// FromSettled returns the number of the settlement from which on the update does not include forecasts that become newest readings.
func (u *Update) FromSettled() int64 { return u.fromSettled }

// Append appends the next piece, and returns how many events it has.
func (u *Update) Append(dst []byte) (_ []byte, events int) {
	for start := len(dst); !u.Done() && len(dst)-start < pieceBytes; events++ {
		dst = u.appendDevice(dst, u.nextDevice())
	}
	return dst, events
}

// appendDevice appends the event of a device, at the instant of its newest reading.
func (u *Update) appendDevice(dst []byte, device []series.State) []byte {
	if u.Done() {
		dst = append(strconv.AppendInt(append(dst, "id: "...), u.at.Stamp, 10), '\n')
	}
	last := slices.MaxFunc(device, func(a, b series.State) int { return cmp.Compare(a.LastTS, b.LastTS) })
	return event.AppendValues(append(dst, "event: reading\n"...), device, last.LastTS)
}
