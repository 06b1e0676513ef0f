package readings

import "telltale/platform/health"

// Probe tells whether this instance follows the log, and how much lies in memory.
func (s *Service) Probe() health.Probe {
	return health.Probe{Name: "log", Check: func() (map[string]any, error) {
		stats := s.window.Stats()
		detail := map[string]any{
			"seq":        stats.Head,
			"folded_seq": stats.Folded,
			"unfolded":   stats.Unfolded,
			"queued":     s.appender.Queued(),
			"listening":  s.tail.listener.Listening(),
		}
		return detail, s.tail.Err()
	}}
}
