package httpapp

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// samplePeriod is how long a request may be counted without a line that stands for it.
const samplePeriod = time.Minute

// sampler decides which of the repetitive requests are logged. Every one of them is counted in exactly one line: in that of
// every n-th, or in one that tells what was left at the end of the period, or of the server.
type sampler struct {
	every int // 1 logs each; no fewer
	log   *zap.Logger

	mu      sync.Mutex
	waiting map[string]tally // by route
	timer   *time.Timer      // runs while anything is waiting
}

// tally is what requests without a line come to.
type tally struct {
	requests int
	bytes    int64
	took     time.Duration
}

// add counts a request and returns how many the line stands for that it shall get, 0 for none.
func (s *sampler) add(x *exchange, took time.Duration) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.waiting[x.route]
	sum.requests, sum.bytes, sum.took = sum.requests+1, sum.bytes+x.bytes, sum.took+took
	if sum.requests >= s.every {
		delete(s.waiting, x.route)
		return sum.requests
	}
	if s.waiting == nil {
		s.waiting = map[string]tally{}
	}
	s.waiting[x.route] = sum
	if s.timer == nil {
		s.timer = time.AfterFunc(samplePeriod, s.flush)
	}
	return 0
}

// flush logs what has no line yet.
func (s *sampler) flush() {
	s.mu.Lock()
	waiting := s.waiting
	s.waiting = nil
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	s.mu.Unlock()
	for route, sum := range waiting {
		s.log.Info("requests", zap.String("route", route), zap.Int("stands_for", sum.requests),
			zap.Int64("bytes", sum.bytes), zap.Duration("duration_ms", sum.took/time.Duration(sum.requests)))
	}
}
