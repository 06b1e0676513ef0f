package streaming

import (
	"slices"
	"strconv"
	"sync"

	"telltale/modules/readings"
	"telltale/modules/readings/render"
)

// sheetReadings is about how many readings one sheet covers; it covers at most twice as many.
const sheetReadings = 1024

// sheet is the text of consecutive events of one batch, made once and shared by every viewer. It is immutable.
//
// An event is a run of consecutive readings with the same device and instant and no metric twice. Where events begin
// depends on nothing but the batch, so that ids are the same for every viewer and on every instance: a run is also cut
// at a multiple of sheetReadings when it covers that many readings from there on.
type sheet struct {
	seq   int64
	first int32 // it covers the batch's readings [first, next)
	next  int32
	end   Position // behind the last event

	text   []byte
	events []event
	pairs  []pair

	devices []string // that have events here
	firsts  []int32  // index of each one's first event
	index   map[string]int32
	metrics []string
}

// event is one event's place in a sheet.
type event struct {
	n      int32 // index in the batch of its first reading
	device int32 // index in devices
	later  int32 // index of the same device's next event, 0 if there is none
	start  int32 // its text is text[start:end], end being the next event's start
	pairs  int32 // index of its first pair
}

// pair is the text of one `"metric":value`, which ends at end and begins one byte behind the end of the pair before it in
// the same event.
type pair struct {
	metric int32 // index in metrics
	start  int32
	end    int32
}

func (s *sheet) size() int {
	return len(s.text) + 20*len(s.events) + 12*len(s.pairs) + 72*(len(s.devices)+len(s.metrics)) + 256
}

// eventEnd returns where the text of the i-th event ends.
func (s *sheet) eventEnd(i int) int32 {
	if i+1 < len(s.events) {
		return s.events[i+1].start
	}
	return int32(len(s.text))
}

// pairsOf returns the pairs of the i-th event.
func (s *sheet) pairsOf(i int) []pair {
	if i+1 < len(s.events) {
		return s.pairs[s.events[i].pairs:s.events[i+1].pairs]
	}
	return s.pairs[s.events[i].pairs:]
}

// cut returns where the k-th sheet of a batch begins: at the first reading from k*sheetReadings on whose device or instant
// is another than that of the reading before it. It needs to look at nothing before that.
func cut(b *readings.Batch, k int, names nameTable) int {
	from := k * sheetReadings
	if k == 0 || from >= b.Len() {
		return min(from, b.Len())
	}
	to := min(from+sheetReadings, b.Len())
	last, known := names.ByID(b.Series[from-1])
	for i := from; i < to; i++ {
		series, ok := last, known
		if b.Series[i] != b.Series[i-1] {
			series, ok = names.ByID(b.Series[i])
		}
		if !ok || !known || series.Device != last.Device || b.TS[i] != b.TS[i-1] {
			return i
		}
		last, known = series, ok
	}
	if to == b.Len() {
		return to
	}
	return from
}

// sheetNumber returns which sheet of the batch covers the reading.
func sheetNumber(b *readings.Batch, reading int, names nameTable) int {
	k := reading / sheetReadings
	for k > 0 && cut(b, k, names) > reading {
		k--
	}
	return k
}

// press makes sheets, one after the other. What it needs while it makes one is memory that it keeps.
type press struct {
	names nameTable
	batch *readings.Batch
	sheet *sheet // its lists are the press's own, until it is finished

	lasts   []int32          // index of each device's last event
	entries []entry          // what is known about the batch's series
	known   map[int32]int32  // index in entries, by series id
	devices map[string]int32 // index in sheet.devices
	metrics map[string]int32 // index in sheet.metrics
	labels  [][]byte         // `"metric":` of each
	run     []int32          // metrics of the event being written
	current event
	ts      int64
	instant []byte // the text of ts
	open    bool
}

// entry is what the press knows about a series.
type entry struct {
	ok     bool
	device int32
	metric int32
}

var presses = sync.Pool{New: func() any {
	return &press{sheet: &sheet{}, known: map[int32]int32{}, devices: map[string]int32{}, metrics: map[string]int32{}}
}}

// newSheet encodes the k-th sheet of a batch. Readings of series that no longer exist are left out.
func newSheet(b *readings.Batch, k int, names nameTable) *sheet {
	p := presses.Get().(*press)
	p.load(b, names)
	first, next := cut(b, k, names), cut(b, k+1, names)
	for i := first; i < next; i++ {
		p.add(i)
	}
	p.close()
	made := p.copy()
	made.seq, made.first, made.next, made.end = b.Seq, int32(first), int32(next), Position{Seq: b.Seq - 1, Next: int32(next)}
	if next == b.Len() {
		made.end = Position{Seq: b.Seq}
	}
	p.unload()
	presses.Put(p) // and not after a panic: what it holds then would get into another sheet
	return made
}

// load begins an empty sheet.
func (p *press) load(b *readings.Batch, names nameTable) { p.batch, p.names, p.open = b, names, false }

// unload forgets everything but memory.
func (p *press) unload() {
	s := p.sheet
	clear(s.devices)
	clear(s.metrics)
	s.text, s.events, s.pairs = s.text[:0], s.events[:0], s.pairs[:0]
	s.devices, s.firsts, s.metrics = s.devices[:0], s.firsts[:0], s.metrics[:0]
	clear(p.known)
	clear(p.devices)
	clear(p.metrics)
	p.lasts, p.entries, p.labels = p.lasts[:0], p.entries[:0], p.labels[:0]
	p.batch, p.names = nil, nil
}

// copy returns what has been written, in memory of its own and no more than that takes.
func (p *press) copy() *sheet {
	s := p.sheet
	made := &sheet{
		text: exact(s.text), events: exact(s.events), pairs: exact(s.pairs), devices: exact(s.devices), firsts: exact(s.firsts),
		metrics: exact(s.metrics), index: make(map[string]int32, len(s.devices)),
	}
	for i, device := range made.devices {
		made.index[device] = int32(i)
	}
	return made
}

func exact[T any](list []T) []T { return append(make([]T, 0, len(list)), list...) }

// add writes the i-th reading of the batch.
func (p *press) add(i int) {
	e := p.lookup(p.batch.Series[i])
	if !e.ok {
		p.close()
		return
	}
	if p.open && (e.device != p.current.device || p.batch.TS[i] != p.ts || slices.Contains(p.run, e.metric)) {
		p.close()
	}
	s := p.sheet
	if p.open {
		s.text = append(s.text, ',')
	} else {
		p.begin(i, e)
	}
	start := len(s.text)
	s.text = render.AppendFloat(append(s.text, p.labels[e.metric]...), p.batch.Value[i])
	s.pairs = append(s.pairs, pair{metric: e.metric, start: int32(start), end: int32(len(s.text))})
	p.run = append(p.run, e.metric)
}

func (p *press) begin(i int, e entry) {
	s := p.sheet
	if ts := p.batch.TS[i]; ts != p.ts || len(p.instant) == 0 {
		p.ts, p.instant = ts, render.AppendTime(p.instant[:0], ts)
	}
	p.open, p.run = true, p.run[:0]
	p.current = event{n: int32(i), device: e.device, start: int32(len(s.text)), pairs: int32(len(s.pairs))}
	p.chain(e.device, int32(len(s.events)))
	s.events = append(s.events, p.current)
	s.text = strconv.AppendInt(append(s.text, "id: "...), p.batch.Seq, 10)
	s.text = strconv.AppendInt(append(s.text, ':'), int64(i), 10)
	s.text = render.AppendString(append(s.text, "\nevent: reading\ndata: {\"device\":"...), s.devices[e.device])
	s.text = append(append(append(s.text, `,"ts":"`...), p.instant...), `","values":{`...)
}

// chain notes that the next event of the device is the i-th of all.
func (p *press) chain(device, i int32) {
	if int(device) == len(p.lasts) {
		p.lasts, p.sheet.firsts = append(p.lasts, i), append(p.sheet.firsts, i)
		return
	}
	p.sheet.events[p.lasts[device]].later, p.lasts[device] = i, i
}

// eventTail ends the text of every event of readings.
const eventTail = "}}\n\n"

// close ends the event being written, if any.
func (p *press) close() {
	if p.open {
		p.sheet.text = append(p.sheet.text, eventTail...)
		p.open = false
	}
}

func (p *press) lookup(id int32) entry {
	if i, ok := p.known[id]; ok {
		return p.entries[i]
	}
	series, ok := p.names.ByID(id)
	e := entry{ok: ok}
	if ok {
		e.device = place(p.devices, &p.sheet.devices, series.Device)
		e.metric = place(p.metrics, &p.sheet.metrics, series.Metric)
		if int(e.metric) == len(p.labels) {
			p.labels = append(p.labels, append(render.AppendString(nil, series.Metric), ':'))
		}
	}
	p.known[id] = int32(len(p.entries))
	p.entries = append(p.entries, e)
	return e
}

// place returns the index of the name in names, where it is added when it is new.
func place(index map[string]int32, names *[]string, name string) int32 {
	i, ok := index[name]
	if !ok {
		i = int32(len(*names))
		index[name] = i
		*names = append(*names, name)
	}
	return i
}
