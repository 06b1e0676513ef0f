package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// client is one keep-alive HTTP connection that sends ready-made requests and hardly looks at the answers: what a load
// generator spends, program and database lack.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	keep bool   // whether to keep the body
	body []byte // of the last answer, if kept
}

// answer is what a client notes of an answer.
type answer struct {
	status int
	size   int           // of the body, in bytes
	first  time.Duration // from the request to the first byte
}

func dial(address string) (*client, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 128<<10)}, nil
}

func (c *client) close() { _ = c.conn.Close() }

// do sends a request and reads the answer to its end.
func (c *client) do(request []byte) (a answer, err error) {
	began := time.Now()
	if err := c.conn.SetDeadline(began.Add(patience)); err != nil {
		return a, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return a, err
	}
	line, err := c.in.ReadSlice('\n')
	a.first = time.Since(began)
	if err != nil {
		return a, err
	}
	if len(line) < 12 {
		return a, fmt.Errorf("status line %q", line)
	}
	if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return a, err
	}
	length, err := c.header()
	if err != nil {
		return a, err
	}
	c.body = c.body[:0]
	if length >= 0 {
		a.size = length
		return a, c.take(length)
	}
	a.size, err = c.chunks()
	return a, err
}

// header reads the header fields and returns the body's length, -1 for a body in chunks.
func (c *client) header() (length int, err error) {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return length, nil
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			length = -1
		}
	}
}

func (c *client) chunks() (size int, err error) {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return size, err
		}
		n, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 64)
		if err != nil {
			return size, err
		}
		if err := c.take(int(n)); err != nil {
			return size, err
		}
		if _, err := c.in.Discard(2); err != nil {
			return size, err
		}
		if n == 0 {
			return size, nil
		}
		size += int(n)
	}
}

// take reads n bytes of the body.
func (c *client) take(n int) (err error) {
	if !c.keep {
		_, err = c.in.Discard(n)
		return err
	}
	start := len(c.body)
	c.body = append(c.body, make([]byte, n)...)
	_, err = io.ReadFull(c.in, c.body[start:])
	return err
}

// errUnavailable is a 503.
var errUnavailable = errors.New("answered 503")

// call sends a request and demands a 200.
func (c *client) call(request []byte) error {
	answer, err := c.do(request)
	switch {
	case err != nil || answer.status == 200:
		return err
	case answer.status == 503:
		return errUnavailable
	default:
		return fmt.Errorf("answered %d", answer.status)
	}
}
