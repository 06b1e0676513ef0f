package series

import "slices"

// Names is a list in which a name is found quickly, however long it is, so that a caller may hold a lock meanwhile.
type Names []string

// fewNames are looked through as quickly as they are searched.
const fewNames = 16

// NewNames returns the names, in order if they are many. It may keep the list given, which must not change then.
func NewNames(names []string) Names {
	if len(names) <= fewNames || slices.IsSorted(names) {
		return names
	}
	return slices.Sorted(slices.Values(names))
}

// Has reports whether the name is one of those.
func (n Names) Has(name string) bool {
	if len(n) <= fewNames {
		return slices.Contains(n, name)
	}
	_, ok := slices.BinarySearch(n, name)
	return ok
}
