package streaming

import (
	"slices"
	"sort"
	"sync"
)

// trayBytes is about how much a viewer that reads on by itself writes at once.
const trayBytes = 64 << 10

// tray is what one write carries to one viewer (or to many alike), and where in it events end. Trays are only held while
// something is being written, never while a socket is waited for.
type tray struct {
	limit int // it is full with so many bytes, or an event more
	text  []byte
	stops []stop
	to    Position // where the viewer is once all of it has been written

	devices, metrics           []bool // of the sheet at hand: what is let through; nil for everything
	deviceBuffer, metricBuffer []bool
	few                        []int32 // memory for the indexes of events
}

// stop is the end of an event in a tray.
type stop struct {
	end   int
	after Position
}

var trays = sync.Pool{New: func() any { return &tray{limit: trayBytes} }}

func (t *tray) full() bool { return len(t.text) >= t.limit }

func (t *tray) reset() { t.text, t.stops = t.text[:0], t.stops[:0] }

// release gives the tray back, unless it has grown beyond what is worth keeping.
func (t *tray) release() {
	if cap(t.text) <= 2*trayBytes {
		trays.Put(t)
	}
}

func (t *tray) deviceMarks(n int) []bool { return marks(&t.deviceBuffer, n) }
func (t *tray) metricMarks(n int) []bool { return marks(&t.metricBuffer, n) }

// marks returns n false values in the buffer.
func marks(buffer *[]bool, n int) []bool {
	*buffer = slices.Grow((*buffer)[:0], n)[:n]
	clear(*buffer)
	return *buffer
}

// add puts the sheet's i-th event into the tray, with the metrics that are let through, or not at all if none is.
func (t *tray) add(s *sheet, i int) {
	e := s.events[i]
	if !t.addPairs(s, i) {
		return
	}
	t.stops = append(t.stops, stop{len(t.text), Position{Seq: s.seq - 1, Next: e.n + 1}})
}

func (t *tray) addPairs(s *sheet, i int) bool {
	start, end := s.events[i].start, s.eventEnd(i)
	if t.metrics == nil {
		t.text = append(t.text, s.text[start:end]...)
		return true
	}
	pairs := s.pairsOf(i)
	wanted := 0
	for _, p := range pairs {
		if t.metrics[p.metric] {
			wanted++
		}
	}
	switch wanted {
	case 0:
		return false
	case len(pairs):
		t.text = append(t.text, s.text[start:end]...)
		return true
	}
	t.text = append(t.text, s.text[start:pairs[0].start]...)
	for _, p := range pairs {
		if t.metrics[p.metric] {
			t.text = append(append(t.text, s.text[p.start:p.end]...), ',')
		}
	}
	t.text = append(t.text[:len(t.text)-1], eventTail...)
	return true
}

// written returns, for the first n bytes of the tray, how many events begin in them, where a viewer is who has got them,
// and what is left of the event that they end within.
func (t *tray) written(n int) (events int, at Position, rest []byte) {
	if n == len(t.text) {
		return len(t.stops), t.to, nil
	}
	i := sort.Search(len(t.stops), func(i int) bool { return t.stops[i].end > n })
	start := 0
	if i > 0 {
		start = t.stops[i-1].end
	}
	if start == n {
		if i == 0 {
			return 0, Position{}, nil
		}
		return i, t.stops[i-1].after, nil
	}
	return i + 1, t.stops[i].after, slices.Clone(t.text[n:t.stops[i].end])
}
