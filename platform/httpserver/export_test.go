package httpserver

// Busy returns on how many connections of the server a request is under way.
func Busy(s *Server) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.busy.Load() {
			n++
		}
	}
	return n
}

// Ahead returns what the connection keeps of what its client has sent ahead.
func Ahead(s *Socket) []byte { return s.own.ahead }
