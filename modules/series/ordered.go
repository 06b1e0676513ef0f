package series

import (
	"slices"
	"strings"
)

// keyed is what an ordered list is ordered by.
type keyed interface{ key() string }

// ordered has values in ascending order of key, each key once, in blocks. Neither the list nor a block is ever changed: a
// list with more or fewer values shares the blocks in which nothing differs. So a reader needs no lock, and a change costs
// the blocks that it concerns and a pointer for each of the others.
type ordered[T keyed] [][]T

// blockSize is the most values of a block.
const blockSize = 512

// len returns how many values there are.
func (o ordered[T]) len() (n int) {
	for _, block := range o {
		n += len(block)
	}
	return n
}

// with returns the list with more values, which ascend by key. Of two with the same key choose says which stays.
func (o ordered[T]) with(added []T, choose func(present, added T) T) ordered[T] {
	merged := make(ordered[T], 0, len(o)+2*len(added)/blockSize+1)
	for i, block := range o {
		n := len(added)
		if i+1 < len(o) {
			n, _ = search(added, o[i+1][0].key())
		}
		merged, added = merged.put(merge(block, added[:n], choose), n == 0), added[n:]
	}
	return merged.put(merge(nil, added, choose), false) // what is left when there was no block
}

// without returns the list without the values that gone reports; keys ascend and are the only ones asked about.
func (o ordered[T]) without(keys []string, gone func(T) bool) ordered[T] {
	var left ordered[T]
	for i, block := range o {
		n := len(keys)
		if i+1 < len(o) {
			n, _ = slices.BinarySearch(keys, o[i+1][0].key())
		}
		if n == 0 {
			left = append(left, block)
			continue
		}
		left, keys = left.put(slices.DeleteFunc(slices.Clone(block), gone), false), keys[n:]
	}
	return left
}

// put appends a block: one that stays as it is, or new values, which become one block or several, or join the last.
func (o ordered[T]) put(values []T, stays bool) ordered[T] {
	if len(values) == 0 {
		return o
	}
	if stays {
		return append(o, values)
	}
	if last := len(o) - 1; last >= 0 && len(o[last])+len(values) <= blockSize/2 {
		o[last] = slices.Concat(o[last], values)
		return o
	}
	for len(values) > blockSize {
		n := (len(values) + 1) / 2
		n = min(n, blockSize*3/4)
		o, values = append(o, slices.Clone(values[:n])), values[n:]
	}
	return append(o, slices.Clip(values))
}

// merge returns the values of both lists, which ascend by key: the first one itself when the second is empty.
func merge[T keyed](present, added []T, choose func(present, added T) T) []T {
	if len(added) == 0 {
		return present
	}
	merged := make([]T, 0, len(present)+len(added))
	for _, value := range added {
		n, taken := search(present, value.key())
		merged = append(merged, present[:n]...)
		if present = present[n:]; taken {
			value, present = choose(present[0], value), present[1:]
		}
		if last := len(merged) - 1; last >= 0 && merged[last].key() == value.key() {
			merged[last] = choose(merged[last], value)
			continue
		}
		merged = append(merged, value)
	}
	return append(merged, present...)
}

// from returns the blocks from the first key on that is not less.
func (o ordered[T]) from(key string) ordered[T] {
	// The last block that begins with the key or before it may have it inside.
	i, found := slices.BinarySearchFunc(o, key, func(block []T, key string) int { return strings.Compare(block[0].key(), key) })
	if found || i == 0 {
		return o[i:]
	}
	n, _ := search(o[i-1], key)
	if n == len(o[i-1]) {
		return o[i:]
	}
	return append(ordered[T]{o[i-1][n:]}, o[i:]...)
}

// search returns where a key is in an ascending list, or would be.
func search[T keyed](values []T, key string) (at int, found bool) {
	return slices.BinarySearchFunc(values, key, func(value T, key string) int { return strings.Compare(value.key(), key) })
}
