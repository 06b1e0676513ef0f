package readings_test

import (
	"math"
	"math/bits"
)

// packXOR is the compression of values in Pelkonen et al., "Gorilla: a fast, scalable, in-memory time series database" (2015).
func packXOR(values []float64) []byte {
	w := bitWriter{}
	last, leading, trailing := uint64(0), 65, 0
	for _, v := range values {
		x := math.Float64bits(v) ^ last
		last ^= x
		if x == 0 {
			w.write(0, 1)
			continue
		}
		l, t := min(bits.LeadingZeros64(x), 31), bits.TrailingZeros64(x)
		if l >= leading && t >= trailing {
			w.write(0b10, 2)
		} else {
			leading, trailing = l, t
			w.write(0b11, 2)
			w.write(uint64(leading), 5)
			w.write(uint64(63-leading-trailing), 6)
		}
		w.write(x>>trailing, 64-leading-trailing)
	}
	return w.bytes
}

func unpackXOR(values []float64, raw []byte) {
	r := bitReader{bytes: raw}
	last, leading, trailing := uint64(0), 0, 0
	for i := range values {
		if r.read(1) == 1 {
			if r.read(1) == 1 {
				leading = int(r.read(5))
				trailing = 63 - leading - int(r.read(6))
			}
			last ^= r.read(64-leading-trailing) << trailing
		}
		values[i] = math.Float64frombits(last)
	}
}

type bitWriter struct {
	bytes []byte
	free  int // bits of the last byte
}

func (w *bitWriter) write(v uint64, n int) {
	for n > 0 {
		if w.free == 0 {
			w.bytes, w.free = append(w.bytes, 0), 8
		}
		k := min(n, w.free)
		n, w.free = n-k, w.free-k
		w.bytes[len(w.bytes)-1] |= byte(v>>n&(1<<k-1)) << w.free
	}
}

type bitReader struct {
	bytes []byte
	at    int // bit
}

func (r *bitReader) read(n int) (v uint64) {
	for n > 0 {
		left := 8 - r.at&7
		k := min(n, left)
		v = v<<k | uint64(r.bytes[r.at>>3])>>(left-k)&(1<<k-1)
		n, r.at = n-k, r.at+k
	}
	return v
}
