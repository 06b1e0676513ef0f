package wire

// Sender writes to connections that no other goroutine writes to at the same time, and never waits. One goroutine uses it.
type Sender struct {
	target  []byte
	sent    int
	attempt func(fd uintptr) // writes target; made once
}

// NewSender returns a sender.
func NewSender() *Sender {
	s := &Sender{}
	s.attempt = func(fd uintptr) { s.sent, _ = Write(fd, s.target) }
	return s
}

// Send writes what the socket takes at once, and returns how many bytes that was. It reports no errors: the viewer's own
// goroutine meets them again. No other goroutine may write at the same time, so the connection needs no lock.
func (s *Sender) Send(c *Conn, text []byte) int {
	s.target, s.sent = text, 0
	_ = c.raw.Control(s.attempt)
	s.target = nil
	return s.sent
}
