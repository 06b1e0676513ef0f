package glob

import "unicode/utf8"

// bits are the positions in a pattern: its tokens but for the stars, of which there are at most MaxLength.
type bits [2]uint64

func (b *bits) set(i int)     { b[i/64] |= 1 << (i % 64) }
func (b bits) has(i int) bool { return b[i/64]>>(i%64)&1 == 1 }

// automata is the nondeterministic automaton of a pattern, all of whose states move at once (Baeza-Yates and Gonnet 1992,
// "A new approach to text searching"). State i is that the tokens up to i have been taken up.
type automata struct {
	tokens []token // but for the stars
	open   bool    // a star is first
	stay   bits    // states behind which there is a star: they outlast any character
	// ascii is for each ASCII character where in takes those tokens are that stand for it.
	ascii [utf8.RuneSelf]uint8
	takes []bits
}

func newAutomata(tokens []token) *automata {
	a := &automata{}
	for _, t := range tokens {
		switch {
		case !t.star:
			a.tokens = append(a.tokens, t)
		case len(a.tokens) == 0:
			a.open = true
		default:
			a.stay.set(len(a.tokens) - 1)
		}
	}
	index := map[bits]uint8{}
	for r := range a.ascii {
		mask := a.mask(rune(r))
		at, known := index[mask]
		if !known {
			at = uint8(len(a.takes)) // there are 128 characters
			index[mask], a.takes = at, append(a.takes, mask)
		}
		a.ascii[r] = at
	}
	return a
}

// mask returns which tokens stand for a character.
func (a *automata) mask(r rune) (mask bits) {
	for i, t := range a.tokens {
		if t.admits(r) {
			mask.set(i)
		}
	}
	return mask
}

// match reports whether the tokens take up all of the text.
func (a *automata) match(text string) bool {
	if len(a.takes) == 0 { // the zero value matches nothing
		return false
	}
	if len(a.tokens) == 0 {
		return a.open || text == ""
	}
	var states bits
	start, again := uint64(1), uint64(0)
	if a.open {
		again = 1
	}
	for _, r := range text {
		var takes bits
		if r < utf8.RuneSelf {
			takes = a.takes[a.ascii[r]]
		} else {
			takes = a.mask(r)
		}
		states = bits{
			(states[0]<<1|start)&takes[0] | states[0]&a.stay[0],
			(states[1]<<1|states[0]>>63)&takes[1] | states[1]&a.stay[1],
		}
		if start = again; states[0]|states[1]|start == 0 {
			return false
		}
	}
	return states.has(len(a.tokens) - 1)
}
