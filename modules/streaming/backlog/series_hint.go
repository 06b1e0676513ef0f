package backlog

import (
	"slices"

	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/modules/streaming/filter"
)

// SeriesHint holds the only series that a viewer of few devices can get readings of. With it a viewer that resumes far back skips
// most batches. Without it those would have to be encoded: for thousands of such viewers, each at another position, the same
// parts again and again.
type SeriesHint struct {
	series []int32
	head   int64 // later batches may have series that the registry did not know yet
}

// registry knows every series.
type registry interface {
	Select(devices, metrics []string) []series.State
}

// Hint returns the series hint of a filter as of a head of the log, which the caller must have read before; nil when every batch
// has to be examined. The registry knows every series of the log up to that head.
func Hint(f *filter.Filter, head int64, registry registry) *SeriesHint {
	if !f.Few() {
		return nil
	}
	hint := &SeriesHint{head: head}
	for _, state := range registry.Select(f.Devices(), f.Metrics()) {
		hint.series = append(hint.series, state.ID)
	}
	return hint
}

// MayBeIn reports whether the batch may have readings of the series.
func (s *SeriesHint) MayBeIn(b *batchlog.Batch) bool {
	if s == nil || b.Stamp() > s.head {
		return true
	}
	return slices.ContainsFunc(b.Series, func(id int32) bool { return slices.Contains(s.series, id) })
}
