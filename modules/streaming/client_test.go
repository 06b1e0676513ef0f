package streaming

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// message is what an EventSource would dispatch.
type message struct {
	ID, Event, Data string
}

// reading is the data of a reading.
type reading struct {
	Device string             `json:"device"`
	TS     string             `json:"ts"`
	Values map[string]float64 `json:"values"`
}

func (m message) reading(t testing.TB) (r reading) {
	require.Equal(t, "reading", m.Event)
	require.NoError(t, json.Unmarshal([]byte(m.Data), &r))
	return r
}

// stream is a client of a stream.
type stream struct {
	t        testing.TB
	response *http.Response
	lines    *bufio.Reader
	lastID   string
	idBuffer string
	retry    string
	comments []string
	close    func()
}

// open connects and requires success.
func open(t testing.TB, url, lastEventID string) *stream {
	t.Helper()
	s := connect(t, url, lastEventID)
	require.Equal(t, http.StatusOK, s.response.StatusCode)
	return s
}

// connect connects with a connection of its own.
func connect(t testing.TB, url, lastEventID string) *stream {
	t.Helper()
	s, err := dial(url, lastEventID)
	require.NoError(t, err)
	s.t = t
	t.Cleanup(s.close)
	return s
}

// dial is connect for goroutines that are not a test's own.
func dial(url, lastEventID string) (*stream, error) {
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	transport := &http.Transport{}
	response, err := transport.RoundTrip(request)
	if err != nil {
		cancel()
		return nil, err
	}
	return &stream{
		response: response, lines: bufio.NewReader(response.Body), lastID: lastEventID, idBuffer: lastEventID,
		close: func() {
			cancel()
			_ = response.Body.Close()
			transport.CloseIdleConnections()
		},
	}, nil
}

// readFrom reads a body.
func readFrom(t testing.TB, body io.Reader) *stream {
	return &stream{t: t, lines: bufio.NewReader(body)}
}

// newStream reads the rest of an answer whose head begins on a connection already.
func newStream(t testing.TB, conn io.Reader) *stream {
	s := readFrom(t, conn)
	for {
		line, err := s.lines.ReadString('\n')
		require.NoError(t, err)
		if line == "\r\n" {
			return s
		}
	}
}

// receive returns the next message with data, io.EOF at the end of the stream. It follows the WHATWG algorithm.
func (s *stream) receive() (m message, err error) {
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return m, err
		}
		line = strings.TrimSuffix(line, "\n")
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			s.lastID = s.idBuffer
			if m.Data != "" {
				m.ID = s.lastID
				return m, nil
			}
			m = message{}
		case field == "":
			s.comments = append(s.comments, value)
		case field == "id":
			s.idBuffer = value
		case field == "event":
			m.Event = value
		case field == "data":
			m.Data += value
		case field == "retry":
			s.retry = value
		}
	}
}

// next returns the next message that is not just a position.
func (s *stream) next() message {
	s.t.Helper()
	for {
		m, err := s.receive()
		require.NoError(s.t, err)
		if m.Event != "position" {
			return m
		}
	}
}

// read returns the next n readings.
func (s *stream) read(n int) (all []reading) {
	s.t.Helper()
	for range n {
		all = append(all, s.next().reading(s.t))
	}
	return all
}

// collect receives up to n readings in the background; fewer when the stream ends before.
func (s *stream) collect(n int) <-chan []message {
	collected := make(chan []message, 1)
	go func() {
		var all []message
		for len(all) < n {
			m, err := s.receive()
			if err != nil {
				break
			}
			if m.Event == "reading" {
				all = append(all, m)
			}
		}
		collected <- all
	}()
	return collected
}

// ids returns the ids of the next n messages.
func (s *stream) ids(n int) (ids []string) {
	s.t.Helper()
	for range n {
		ids = append(ids, s.next().ID)
	}
	return ids
}

// untilEnd requires that nothing but comments, positions and retry comes before the end of the stream.
func (s *stream) untilEnd() {
	s.t.Helper()
	for {
		m, err := s.receive()
		if err != nil {
			require.ErrorIs(s.t, err, io.EOF)
			return
		}
		require.Equal(s.t, "position", m.Event)
	}
}
