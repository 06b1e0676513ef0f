package readings

import (
	"cmp"
	"time"

	"telltale/modules/readings/batchlog"
	"telltale/platform/fault"
	"telltale/platform/health"
)

// Probe tells whether this instance follows the log and can append to it, and how much lies in memory.
func (s *Service) Probe() health.Probe {
	return health.Probe{Name: "log", Check: func() (map[string]any, error) {
		stats := s.window.Stats()
		detail := map[string]any{
			"seq":        stats.Head,
			"folded_seq": stats.Folded,
			"unfolded":   stats.Unfolded,
			"queued":     s.appender.Queued(),
			"listening":  s.tail.Listening(),
			// In memory, as charged against READINGS_MAX_UNFOLDED and READINGS_MAX_QUEUED.
			"unfolded_bytes": stats.UnfoldedBytes,
			"queued_bytes":   s.appender.QueuedBytes(),
		}
		return detail, cmp.Or(s.tail.Err(), s.appender.Err(), s.roomErr(stats))
	}}
}

// roomErr returns why there is no room for more readings, which ingest refuses then, or nil.
func (s *Service) roomErr(stats batchlog.Stats) error {
	if stats.UnfoldedBytes <= batchlog.UnfoldedMemory(s.limits.MaxUnfoldedReadings) {
		return nil
	}
	return fault.Busy(5*time.Second, s.runner.Err(), "%d readings, which take %d bytes, wait to be folded", stats.Unfolded, stats.UnfoldedBytes)
}
