package readings

import (
	"cmp"
	"context"
	"errors"
	"io"
)

// spool carries an answer from the goroutine that makes it to the connection that sends it, some buffers ahead. The maker
// waits when the receiver is slow, and learns when it is gone.
//
// It exists so that an error before the first buffer is full is still answered with its proper status, and a short answer
// with its length.
type spool struct {
	buffers chan []byte // closed by the maker at the end
	spare   chan []byte // buffers sent, for reuse
	gone    context.CancelFunc
	ctx     context.Context
	err     error // how making ended; valid once buffers is closed

	current []byte // the buffer being sent
	sent    int    // how much of it Read has returned
	next    []byte // the buffer after it, if start has received it
}

const (
	// spoolBuffer is how much is sent at once.
	spoolBuffer = 64 << 10
	// spoolAhead is how many buffers may wait for a slow receiver.
	spoolAhead = 4
)

var errGone = errors.New("the receiver of the answer has gone")

// startSpool runs produce in a goroutine of its own, which ends when produce returns. The context of produce ends with ctx, or when
// the spool is closed.
func startSpool(ctx context.Context, produce func(ctx context.Context, out io.Writer) error) *spool {
	s := &spool{buffers: make(chan []byte, spoolAhead), spare: make(chan []byte, spoolAhead+2)}
	s.ctx, s.gone = context.WithCancel(ctx)
	go func() {
		defer close(s.buffers)
		s.err = produce(s.ctx, s)
	}()
	return s
}

// Write copies what the maker has made. It is the maker's side.
func (s *spool) Write(p []byte) (int, error) {
	var buffer []byte
	select {
	case buffer = <-s.spare:
	default:
	}
	select {
	case s.buffers <- append(buffer[:0], p...):
		return len(p), nil
	case <-s.ctx.Done():
		return 0, errGone
	}
}

// start waits until the answer is complete or two buffers are full. When whole is true, first is all of it. An error tells
// that making ended before the second buffer, and nothing has been sent.
func (s *spool) start() (first []byte, whole bool, err error) {
	first = <-s.buffers
	second, more := <-s.buffers
	if !more {
		s.gone()
		return first, true, s.err
	}
	s.current, s.next = first, second
	return nil, false, nil
}

// Read implements io.Reader for the sending side.
func (s *spool) Read(p []byte) (int, error) {
	for s.sent == len(s.current) {
		s.spare <- s.current
		s.current, s.next, s.sent = s.next, nil, 0
		if s.current != nil {
			continue
		}
		var more bool
		if s.current, more = <-s.buffers; !more {
			return 0, cmp.Or(s.err, io.EOF)
		}
	}
	n := copy(p, s.current[s.sent:])
	s.sent += n
	return n, nil
}

// Close ends the making early. fasthttp calls it when the answer is sent or cannot be.
func (s *spool) Close() error {
	s.gone()
	for range s.buffers { // until the maker has ended
	}
	return nil
}
