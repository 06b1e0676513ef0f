package devices

import (
	"strings"
	"unicode/utf8"

	"telltale/modules/auth/access"
	"telltale/platform/glob"
)

// visibility is what a principal sees, in terms that the database can search by. It may let more through than the
// principal sees, never less: the last word is access.Principal.Sees's.
type visibility struct {
	// All is set when nothing is hidden; the lists are then empty.
	All bool
	// IDs are visible by their names, Likes are LIKE patterns; what matches neither is hidden.
	IDs   []string
	Likes []string
}

func visibilityOf(p access.Principal) visibility {
	if p.SeesAll() {
		return visibility{All: true}
	}
	v := visibility{IDs: []string{}}
	for _, pattern := range p.Devices {
		switch {
		case glob.Is(pattern):
			v.Likes = append(v.Likes, likeOf(pattern))
		case utf8.ValidString(pattern) && !strings.ContainsRune(pattern, 0): // others PostgreSQL refuses, and no id is
			v.IDs = append(v.IDs, pattern)
		}
	}
	return v
}

// likeOf returns a LIKE pattern for all that the pattern matches and possibly more. Each wildcard becomes %, so that no
// difference in what the two take for a character can matter.
func likeOf(pattern string) string {
	var like strings.Builder
	for len(pattern) > 0 {
		r, size := utf8.DecodeRuneInString(pattern)
		switch {
		case r == '*' || r == '?' || r == utf8.RuneError && size == 1:
			like.WriteByte('%')
		case r == '[':
			like.WriteByte('%')
			size = classLength(pattern)
		case r == '\\':
			_, escaped := utf8.DecodeRuneInString(pattern[1:])
			writeLiteral(&like, pattern[1:1+escaped])
			size += escaped
		default:
			writeLiteral(&like, pattern[:size])
		}
		pattern = pattern[size:]
	}
	return like.String()
}

// classLength returns the length of the character class that pattern begins with; an unfinished one, which matches
// nothing, takes all the rest.
func classLength(pattern string) int {
	for i := 1; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case ']':
			return i + 1
		}
	}
	return len(pattern)
}

// containing returns a LIKE pattern for all texts that have the words in them. Letters outside ASCII become %: which of
// them are the same in upper and lower case depends on the database's locale.
func containing(words string) string {
	var like strings.Builder
	like.WriteByte('%')
	for _, r := range words {
		if r >= utf8.RuneSelf {
			like.WriteByte('%')
			continue
		}
		writeLiteral(&like, string(r))
	}
	like.WriteByte('%')
	return like.String()
}

// writeLiteral appends one character with LIKE's own metacharacters escaped. What PostgreSQL refuses in a text becomes %.
func writeLiteral(like *strings.Builder, character string) {
	switch {
	case !utf8.ValidString(character) || character == "\x00":
		like.WriteByte('%')
	case character == "%" || character == "_" || character == `\`:
		like.WriteString(`\` + character)
	default:
		like.WriteString(character)
	}
}
