package streaming

import (
	"sync"

	"telltale/modules/readings"
)

// sheetBytes bounds the sheets that are kept. A sheet that has been dropped is made again when a viewer comes by.
const sheetBytes = 16 << 20

// sheets keeps the sheets used last, so that each is encoded once for all who read it at about the same time.
type sheets struct {
	names nameTable
	kept  *lru[sheetKey, *slot]
}

type sheetKey struct {
	seq       int64
	committed int64 // of several batches that have had the seq, one before and one after a restore from a backup
	number    int
}

// slot is a sheet that is being made, or has been.
type slot struct {
	once  sync.Once
	sheet *sheet
}

func newSheets(names nameTable) *sheets {
	return &sheets{names: names, kept: newLRU[sheetKey, *slot](sheetBytes)}
}

// covering returns the sheet that covers the batch's reading with the index given, which must exist.
func (s *sheets) covering(b *readings.Batch, reading int32) *sheet {
	key := sheetKey{b.Seq, b.CommittedAt.UnixMicro(), sheetNumber(b, int(reading), s.names)}
	kept := s.kept.get(key, 0, func() *slot { return &slot{} })
	kept.once.Do(func() {
		kept.sheet = newSheet(b, key.number, s.names)
		s.kept.weigh(key, kept.sheet.size())
	})
	if kept.sheet.first <= reading && reading < kept.sheet.next {
		return kept.sheet
	}
	// A device was deleted meanwhile, which moves the borders between sheets (and never those between events), perhaps again
	// while the next one is made.
	for {
		made := newSheet(b, sheetNumber(b, int(reading), s.names), s.names)
		if made.first <= reading && reading < made.next {
			return made
		}
	}
}

// forget drops everything, since it may speak of devices that no longer exist.
func (s *sheets) forget() { s.kept.clear() }
