package payload

import (
	"bytes"
	"strconv"
)

// exactly is up to where each integer is a float64 of its own.
const exactly = 1 << 53

// exact counts the value if it was sent as an integer that no float64 is.
func (d *Decoder) exact(v float64, text []byte) {
	if v < exactly && v > -exactly {
		return
	}
	if bytes.ContainsAny(text, ".eE") {
		return
	}
	var buffer [32]byte
	if !bytes.Equal(strconv.AppendFloat(buffer[:0], v, 'f', 0, 64), bytes.TrimPrefix(text, []byte{'+'})) {
		d.current.rounded++
	}
}
