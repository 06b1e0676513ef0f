package streaming

import (
	"slices"
	"strconv"

	"telltale/modules/devices"
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

// press makes one sheet.
type press struct {
	names nameTable
	batch *readings.Batch
	sheet *sheet

	lasts   []int32          // index of each device's last event
	known   map[int32]*entry // by series id
	metrics map[string]int32
	run     []int32 // metrics of the event being written
	current event
	ts      int64
	open    bool
}

// entry is what the press knows about a series.
type entry struct {
	ok     bool
	device int32
	metric int32
	label  []byte // `"metric":`
}

// newSheet encodes the k-th sheet of a batch. Readings of series that no longer exist are left out.
func newSheet(b *readings.Batch, k int, names nameTable) *sheet {
	first, next := cut(b, k, names), cut(b, k+1, names)
	p := press{
		names: names, batch: b, known: map[int32]*entry{}, metrics: map[string]int32{},
		sheet: &sheet{
			seq: b.Seq, first: int32(first), next: int32(next), end: Position{Seq: b.Seq - 1, Next: int32(next)},
			text: make([]byte, 0, 110*min(next-first, 64)), index: map[string]int32{},
		},
	}
	if next == b.Len() {
		p.sheet.end = Position{Seq: b.Seq}
	}
	for i := first; i < next; i++ {
		p.add(i)
	}
	p.close()
	p.sheet.text = slices.Clip(p.sheet.text)
	return p.sheet
}

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
	s.text = render.AppendFloat(append(s.text, e.label...), p.batch.Value[i])
	s.pairs = append(s.pairs, pair{metric: e.metric, start: int32(start), end: int32(len(s.text))})
	p.run = append(p.run, e.metric)
}

func (p *press) begin(i int, e *entry) {
	s := p.sheet
	p.open, p.ts, p.run = true, p.batch.TS[i], p.run[:0]
	p.current = event{n: int32(i), device: e.device, start: int32(len(s.text)), pairs: int32(len(s.pairs))}
	p.chain(e.device, int32(len(s.events)))
	s.events = append(s.events, p.current)
	s.text = strconv.AppendInt(append(s.text, "id: "...), s.seq, 10)
	s.text = strconv.AppendInt(append(s.text, ':'), int64(i), 10)
	s.text = render.AppendString(append(s.text, "\nevent: reading\ndata: {\"device\":"...), s.devices[e.device])
	s.text = render.AppendTime(append(s.text, `,"ts":"`...), p.ts)
	s.text = append(s.text, `","values":{`...)
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

func (p *press) lookup(id int32) *entry {
	if e := p.known[id]; e != nil {
		return e
	}
	e := &entry{}
	p.known[id] = e
	var series devices.Series
	if series, e.ok = p.names.ByID(id); !e.ok {
		return e
	}
	e.device = place(p.sheet.index, &p.sheet.devices, series.Device)
	e.metric = place(p.metrics, &p.sheet.metrics, series.Metric)
	e.label = append(render.AppendString(nil, series.Metric), ':')
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
