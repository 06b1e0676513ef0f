package scan

import (
	"encoding/binary"
	"sync/atomic"
)

// keptRows reads rows, or keeps the rest of them in memory to be read later. A row that is being kept is written as the
// number of its columns, and for each its length and bytes; the length of a null is nullLength.
type keptRows struct {
	from    rows
	release func()        // gives the connection of from back
	all     *atomic.Int64 // bytes kept by all

	whole bool // from has no more rows
	err   error
	kept  []byte // not read yet
	size  int64  // counted in all
	row   [][]byte
	inRow bool // the row being read is row, not from's
}

const nullLength = 1<<32 - 1

func (k *keptRows) Next() bool {
	if k.inRow = len(k.kept) > 0; k.inRow {
		k.take()
		return true
	}
	k.forget()
	if k.whole {
		return false
	}
	if !k.from.Next() {
		k.finish()
	}
	return !k.whole
}

func (k *keptRows) RawValues() [][]byte {
	if k.inRow {
		return k.row
	}
	return k.from.RawValues()
}

func (k *keptRows) Err() error { return k.err }

// finish notes that there are no more rows.
func (k *keptRows) finish() {
	k.whole, k.err = true, k.from.Err()
	k.release()
}

// keep reads all further rows into memory and gives their connection back. It returns false, and has kept some, when over
// is closed before or when there are too many.
func (k *keptRows) keep(over <-chan struct{}) (all bool) {
	for !k.whole {
		select {
		case <-over:
			return false
		default:
		}
		if k.size >= maxKept || k.all.Load() >= maxKeptByAll {
			return false
		}
		if !k.from.Next() {
			k.finish()
			break
		}
		k.put(k.from.RawValues())
	}
	return true
}

// put keeps a row.
func (k *keptRows) put(row [][]byte) {
	before := len(k.kept)
	k.kept = binary.AppendUvarint(k.kept, uint64(len(row)))
	for _, column := range row {
		if column == nil {
			k.kept = binary.AppendUvarint(k.kept, nullLength)
			continue
		}
		k.kept = append(binary.AppendUvarint(k.kept, uint64(len(column))), column...)
	}
	size := int64(len(k.kept) - before)
	k.size += size
	k.all.Add(size)
}

// take makes the first row kept the one being read.
func (k *keptRows) take() {
	number := func() uint64 {
		n, size := binary.Uvarint(k.kept)
		k.kept = k.kept[size:]
		return n
	}
	k.row = k.row[:0]
	for range number() {
		n := number()
		if n == nullLength {
			k.row = append(k.row, nil)
			continue
		}
		k.row, k.kept = append(k.row, k.kept[:n:n]), k.kept[n:]
	}
}

// forget gives the memory back.
func (k *keptRows) forget() {
	if k.size > 0 {
		k.all.Add(-k.size)
		k.kept, k.size = nil, 0
	}
}
