package streaming

import "syscall"

// sender writes to parked viewers without waiting. It is one goroutine's.
type sender struct {
	words   []byte // memory for what is written
	target  []byte
	sent    int
	attempt func(fd uintptr) // writes target; made once
}

func newSender() *sender {
	s := &sender{}
	s.attempt = func(fd uintptr) { s.sent, _ = writeSome(fd, s.target) }
	return s
}

// send writes what the socket takes at once, and returns how much that was. Errors are left to the viewer, who meets them
// again. Nobody else writes to a parked viewer while its mu is held, so the connection need not be locked against that.
func (s *sender) send(raw syscall.RawConn, text []byte) int {
	s.target, s.sent = text, 0
	_ = raw.Control(s.attempt)
	s.target = nil
	return s.sent
}
