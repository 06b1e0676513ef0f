package streaming

import (
	"maps"
	"time"

	"telltale/modules/readings"
)

// step is what a pump does in one round: the events of the batches in (from, to] for each viewer. Viewers who are concerned
// by it have to read on by themselves unless it is whole.
type step struct {
	from, to  int64
	committed time.Time // when the first of them was
	sheets    []*sheet
	whole     bool      // whether sheets hold every event
	devices   deviceSet // those that have events in the step; nil when that is not known

	shared bool // whether the pump's shared tray has it

	dated  bool  // whether oldest is known; see earliest
	oldest int64 // instant of its readings
}

// deviceSet has devices as its keys.
type deviceSet = map[string]int32

// plan takes as many batches as may go into one write, or one that is too large for that. It may put the step's devices into
// the set given, which is cleared before.
func (s *sheets) plan(seq int64, batches []*readings.Batch, set deviceSet) step {
	next := step{from: seq, to: seq, committed: batches[0].CommittedAt, whole: true}
	bytes := 0
	for _, b := range batches[:min(len(batches), stepBatches)] {
		if len(b.Dropped) > 0 {
			s.forget()
		}
		made, text := s.of(b, stepBytes-bytes)
		if text < 0 {
			break
		}
		next.sheets, bytes, next.to = append(next.sheets, made...), bytes+text, b.Seq
	}
	if next.to == seq {
		return step{from: seq, to: batches[0].Seq, devices: devicesOf(batches[0], s.names)}
	}
	next.collectDevices(set)
	return next
}

// of returns the sheets of a batch and the size of their text, which is -1 when that is more than most, or not
// known now.
func (s *sheets) of(b *readings.Batch, most int) (all []*sheet, text int) {
	if b.Len() > stepReadings {
		return nil, -1
	}
	for reading := int32(0); int(reading) < b.Len(); {
		made := s.covering(b, reading)
		if reading < made.first || made.next <= reading { // a device was deleted meanwhile
			return nil, -1
		}
		if text += len(made.text); text > most {
			return nil, -1
		}
		all, reading = append(all, made), made.next
	}
	return all, text
}

func (s *step) collectDevices(set deviceSet) {
	if len(s.sheets) == 1 {
		s.devices = s.sheets[0].index
		return
	}
	clear(set)
	for _, made := range s.sheets {
		maps.Copy(set, made.index)
	}
	s.devices = set
}

// devicesOf returns the devices that have readings in a batch.
func devicesOf(b *readings.Batch, names nameTable) deviceSet {
	devices, known := deviceSet{}, map[int32]bool{}
	for _, id := range b.Series {
		if known[id] {
			continue
		}
		known[id] = true
		if series, ok := names.ByID(id); ok {
			devices[series.Device] = 0
		}
	}
	return devices
}
