package glob

import (
	"slices"
	"strings"
)

// Set is names and patterns. A nil one has every name. Its methods are safe for concurrent use.
type Set struct {
	names    map[string]bool
	patterns map[string][]Pattern // by their prefix
	lengths  []int                // of the prefixes, each once
}

// NewSet returns the set of the names and patterns given; texts that are neither match nothing but themselves.
func NewSet(texts []string) *Set {
	s := &Set{names: make(map[string]bool, len(texts))}
	for _, text := range texts {
		s.names[text] = true
		if !Is(text) || Check(text) != nil {
			continue
		}
		if s.patterns == nil {
			s.patterns = map[string][]Pattern{}
		}
		p := Compile(text)
		s.patterns[p.prefix] = append(s.patterns[p.prefix], p)
		if !slices.Contains(s.lengths, len(p.prefix)) {
			s.lengths = append(s.lengths, len(p.prefix))
		}
	}
	return s
}

// Has reports whether the name is in the set.
func (s *Set) Has(name string) bool {
	if s == nil || s.names[name] {
		return true
	}
	for _, n := range s.lengths {
		if n > len(name) {
			continue
		}
		for _, p := range s.patterns[name[:n]] {
			if p.Match(name) {
				return true
			}
		}
	}
	return false
}

// Names returns the names and the texts of patterns that are in the set as they stand, in order.
func (s *Set) Names() []string {
	names := make([]string, 0, len(s.names))
	for name := range s.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Prefixes returns, in order, the beginnings that a name has which a pattern of the set matches. None of them begins with
// another one.
func (s *Set) Prefixes() []string {
	all := make([]string, 0, len(s.patterns))
	for prefix := range s.patterns {
		all = append(all, prefix)
	}
	slices.Sort(all)
	prefixes := all[:0]
	for _, prefix := range all {
		if n := len(prefixes); n == 0 || !strings.HasPrefix(prefix, prefixes[n-1]) {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}
