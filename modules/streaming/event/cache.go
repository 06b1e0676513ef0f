package event

import (
	"sync"

	"telltale/modules/readings/batchlog"
	"telltale/modules/streaming/budget"
)

// maxReadings is the size above which All considers a batch too large without encoding it.
const maxReadings = 8 * partReadings

// Cache keeps the encoded parts of batches that were used last, so that each is encoded once for all viewers that read it at
// about the same time. It is safe for concurrent use.
type Cache struct {
	names names
	kept  *budget.Cache[partKey, *partSlot]
}

// partKey names a part of a batch.
type partKey struct {
	stamp  int64 // of the batch
	number int
}

// partSlot is the slot of a part, which the first goroutine to need it encodes.
type partSlot struct {
	once sync.Once
	part *Encoded
}

// NewCache returns a cache that holds parts of at most the given number of bytes.
func NewCache(names names, bytes int) *Cache {
	return &Cache{names: names, kept: budget.NewCache[partKey, *partSlot](bytes)}
}

// Covering returns the part that covers the batch's reading with the index given, which must exist.
func (c *Cache) Covering(b *batchlog.Batch, reading int32) *Encoded {
	key := partKey{b.Stamp(), partOf(b, int(reading), c.names)}
	kept := c.kept.Get(key, 0, func() *partSlot { return &partSlot{} })
	kept.once.Do(func() {
		kept.part = encode(b, key.number, c.names)
		c.kept.Weigh(key, kept.part.size())
	})
	if kept.part.covers(reading) {
		return kept.part
	}
	// A device was deleted meanwhile, which moves the borders between parts (and never those between events), perhaps again
	// during encode.
	for {
		part := encode(b, partOf(b, int(reading), c.names), c.names)
		if part.covers(reading) {
			return part
		}
	}
}

// All returns all parts of a batch and the size of their text. When the size exceeds most, or is unknown at present, it returns
// -1 and no parts.
func (c *Cache) All(b *batchlog.Batch, most int) (parts []*Encoded, bytes int) {
	if b.Len() > maxReadings {
		return nil, -1
	}
	for reading := int32(0); int(reading) < b.Len(); {
		part := c.Covering(b, reading)
		if !part.covers(reading) { // a device was deleted meanwhile
			return nil, -1
		}
		if bytes += len(part.text); bytes > most {
			return nil, -1
		}
		parts, reading = append(parts, part), part.next
	}
	return parts, bytes
}

// Forget evicts every part, because parts may name devices that no longer exist.
func (c *Cache) Forget() { c.kept.EvictAll() }
