package glob

import "strings"

// Subsumes reports whether one pattern matches whatever the other can match. Patterns with classes or escapes subsume, and are
// subsumed, only as they stand (or as the plain id which they are not).
func Subsumes(wide, narrow string) bool {
	if wide == narrow || wide == "*" {
		return true
	}
	if !Is(narrow) {
		return Is(wide) && Compile(wide).Match(narrow)
	}
	if strings.ContainsAny(wide+narrow, `[\`) {
		return false
	}
	// Many pairs of patterns differ in how they begin.
	if begin := Compile(wide).Prefix(); !strings.HasPrefix(narrow, begin) {
		return false
	}
	return absorbs([]rune(wide), []rune(narrow))
}

// absorbs compares patterns of literals, ? and * piece by piece: a star takes up any run of the other's pieces, a question
// mark any one that stands for a single character, a literal only itself. reach[j] says whether the pieces of wide seen
// so far can have taken up exactly the first j pieces of narrow.
func absorbs(wide, narrow []rune) bool {
	reach := make([]bool, len(narrow)+1)
	reach[0] = true
	for _, w := range wide {
		next := make([]bool, len(narrow)+1)
		next[0] = w == '*' && reach[0]
		for j, n := range narrow {
			switch w {
			case '*':
				next[j+1] = reach[j+1] || next[j]
			case '?':
				next[j+1] = reach[j] && n != '*'
			default:
				next[j+1] = reach[j] && n == w
			}
		}
		reach = next
	}
	return reach[len(narrow)]
}
