package admission

import (
	"telltale/platform/fault"
)

const (
	// listBytes bounds the long lists of all streams together. A viewer whose lists exceed the rest of the budget is refused.
	listBytes = 256 << 20
	// shortList is how many words are not charged: every viewer takes more memory than those.
	shortList = 16
	// wordBytes is about the memory of a word besides its text, in the request and in its filter.
	wordBytes = 64
)

// ChargeLists charges long lists to the budget until the ticket is released. It returns an Unavailable fault when too little is
// left.
func (t *Ticket) ChargeLists(lists ...[]string) error {
	bytes, words := 0, 0
	for _, list := range lists {
		words += len(list)
		for _, word := range list {
			bytes += len(word) + wordBytes
		}
	}
	if words <= shortList {
		return nil
	}
	free, ok := t.from.lists.Take(bytes)
	if !ok {
		return fault.Busy(limitRetry, nil, "too many streams with long lists are open; ask for patterns, or for all that the token covers")
	}
	t.Finally(free)
	return nil
}
