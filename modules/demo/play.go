package demo

import (
	"context"
	"time"
)

// play posts what every device reads, once a second. After an interruption of the server it first fills the gap.
func (s *Simulator) play(ctx context.Context) error {
	var body []byte
	newest := s.last()
	for {
		if err := s.api.pause(ctx, s.untilNext()); err != nil {
			return err
		}
		now := s.now().Truncate(pace).UnixMilli()
		if now-newest > 2*step.Milliseconds() {
			if err := s.fill(ctx, s.allAt(newest)); err != nil {
				return err
			}
			now = s.now().Truncate(pace).UnixMilli()
		}
		body = append(body[:0], `{"readings":[`...)
		for _, d := range s.fleet {
			body = d.appendReading(body, now)
		}
		if err := s.post(ctx, body); err != nil {
			return err
		}
		newest = now
	}
}

// untilNext returns the time until the clock's next whole second.
func (s *Simulator) untilNext() time.Duration {
	now := s.now()
	return now.Truncate(pace).Add(pace).Sub(now)
}

// allAt returns the instant for every device.
func (s *Simulator) allAt(ms int64) map[string]int64 {
	all := make(map[string]int64, len(s.fleet))
	for _, d := range s.fleet {
		all[d.id] = ms
	}
	return all
}
