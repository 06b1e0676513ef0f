package event

import (
	"slices"
	"strconv"
	"sync"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/render"
)

// encoder encodes parts of batches, one after the other, and reuses its memory.
type encoder struct {
	names names
	batch *batchlog.Batch
	draft *Encoded // in memory of the encoder

	lastOf     []int32          // index of each device's last event
	entries    []seriesEntry    // what is known about the batch's series
	known      map[int32]int32  // index in entries, by series id
	devices    map[string]int32 // index in draft.devices
	metrics    map[string]int32 // index in draft.metrics
	metricKeys [][]byte         // `"metric":` of each
	run        []int32          // metrics of the event being written
	device     int32            // of that event
	ts         int64            // of that event
	instant    []byte           // the text of ts
	open       bool             // an event is being written
}

// seriesEntry is what the encoder knows about a series.
type seriesEntry struct {
	ok     bool
	device int32
	metric int32
}

var encoders = sync.Pool{New: func() any {
	return &encoder{draft: &Encoded{}, known: map[int32]int32{}, devices: map[string]int32{}, metrics: map[string]int32{}}
}}

// encode encodes the k-th part of a batch. Readings of series that no longer exist are left out.
func encode(b *batchlog.Batch, k int, names names) *Encoded {
	p := encoders.Get().(*encoder)
	p.load(b, names)
	first, next := partStart(b, k, names), partStart(b, k+1, names)
	for i := first; i < next; i++ {
		p.add(i)
	}
	p.endEvent()
	part := p.copyDraft()
	part.stamp, part.first, part.next, part.end = b.Stamp(), int32(first), int32(next), Position{Stamp: b.Stamp() - 1, Next: int32(next)}
	if next == b.Len() {
		part.end = Position{Stamp: b.Stamp()}
	}
	p.unload()
	encoders.Put(p) // not after a panic: what it holds then would get into another part
	return part
}

// load begins a part without events.
func (p *encoder) load(b *batchlog.Batch, names names) { p.batch, p.names, p.open = b, names, false }

// unload empties the encoder. Its memory stays.
func (p *encoder) unload() {
	s := p.draft
	clear(s.devices)
	clear(s.metrics)
	s.text, s.events, s.pairs = s.text[:0], s.events[:0], s.pairs[:0]
	s.devices, s.firsts, s.metrics = s.devices[:0], s.firsts[:0], s.metrics[:0]
	clear(p.known)
	clear(p.devices)
	clear(p.metrics)
	p.lastOf, p.entries, p.metricKeys = p.lastOf[:0], p.entries[:0], p.metricKeys[:0]
	p.batch, p.names = nil, nil
}

// copyDraft returns a copy of the draft, in memory that it fills.
func (p *encoder) copyDraft() *Encoded {
	s := p.draft
	made := &Encoded{
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
func (p *encoder) add(i int) {
	e := p.lookup(p.batch.Series[i])
	if !e.ok {
		p.endEvent()
		return
	}
	if p.open && (e.device != p.device || p.batch.TS[i] != p.ts || slices.Contains(p.run, e.metric)) {
		p.endEvent()
	}
	s := p.draft
	if p.open {
		s.text = append(s.text, ',')
	} else {
		p.begin(i, e)
	}
	start := len(s.text)
	s.text = render.AppendFloat(append(s.text, p.metricKeys[e.metric]...), p.batch.Value[i])
	s.pairs = append(s.pairs, pair{metric: e.metric, start: int32(start), end: int32(len(s.text))})
	p.run = append(p.run, e.metric)
}

// begin begins an event with the i-th reading of the batch.
func (p *encoder) begin(i int, e seriesEntry) {
	s := p.draft
	if ts := p.batch.TS[i]; ts != p.ts || len(p.instant) == 0 {
		p.ts, p.instant = ts, render.AppendTime(p.instant[:0], ts)
	}
	p.open, p.run = true, p.run[:0]
	p.device = e.device
	p.chain(e.device, int32(len(s.events)))
	s.events = append(s.events, span{n: int32(i), device: e.device, start: int32(len(s.text)), pairs: int32(len(s.pairs))})
	s.text = strconv.AppendInt(append(s.text, "id: "...), p.batch.Stamp(), 10)
	s.text = strconv.AppendInt(append(s.text, ':'), int64(i), 10)
	s.text = render.AppendString(append(s.text, "\nevent: reading\ndata: {\"device\":"...), s.devices[e.device])
	s.text = append(append(append(s.text, `,"ts":"`...), p.instant...), `","values":{`...)
}

// chain notes that the i-th event of the part is the next one of the device.
func (p *encoder) chain(device, i int32) {
	if int(device) == len(p.lastOf) {
		p.lastOf, p.draft.firsts = append(p.lastOf, i), append(p.draft.firsts, i)
		return
	}
	p.draft.events[p.lastOf[device]].later, p.lastOf[device] = i, i
}

// endEvent ends the event being written, if there is one.
func (p *encoder) endEvent() {
	if p.open {
		p.draft.text = append(p.draft.text, Tail...)
		p.open = false
	}
}

// lookup returns the entry of a series, which it makes at the first call.
func (p *encoder) lookup(id int32) seriesEntry {
	if i, ok := p.known[id]; ok {
		return p.entries[i]
	}
	series, ok := p.names.ByID(id)
	e := seriesEntry{ok: ok}
	if ok {
		e.device = intern(p.devices, &p.draft.devices, series.Device)
		e.metric = intern(p.metrics, &p.draft.metrics, series.Metric)
		if int(e.metric) == len(p.metricKeys) {
			p.metricKeys = append(p.metricKeys, append(render.AppendString(nil, series.Metric), ':'))
		}
	}
	p.known[id] = int32(len(p.entries))
	p.entries = append(p.entries, e)
	return e
}

// intern returns the index of the name in names. It adds a new name.
func intern(index map[string]int32, names *[]string, name string) int32 {
	i, ok := index[name]
	if !ok {
		i = int32(len(*names))
		index[name] = i
		*names = append(*names, name)
	}
	return i
}
