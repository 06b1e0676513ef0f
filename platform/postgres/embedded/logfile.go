package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"
)

const (
	// maxLog is the size in bytes beyond which the server's log is put aside, replacing what was put aside before.
	maxLog = 8 << 20
	// logInterval is how often the size is looked at.
	logInterval = time.Minute
	// quotedLines is how much of a log an error quotes.
	quotedLines = 8
)

func logPath(dir string) string { return filepath.Join(dir, "postgres.log") }

// openLog opens the server's log for appending.
func openLog(dir string, a account) (*os.File, error) {
	path := logPath(dir)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database's log: %w", err)
	}
	if err := errors.Join(a.give(path), trimLog(f)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// trimLog puts the log aside when it has grown too long. The server keeps the file that it has: the content is copied and
// then cut, and a line written in between is lost.
func trimLog(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() <= maxLog {
		return wrap("trim the database's log", err)
	}
	aside, err := os.OpenFile(f.Name()+".1", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return wrap("trim the database's log", err)
	}
	_, err = io.Copy(aside, io.NewSectionReader(f, 0, info.Size()))
	return wrap("trim the database's log", errors.Join(err, aside.Close(), f.Truncate(0)))
}

// tendLog trims the log from time to time until Stop is called.
func (s *Server) tendLog() {
	ticker := time.NewTicker(logInterval)
	defer ticker.Stop()
	for {
		select {
		case <-s.stopping:
			return
		case <-ticker.C:
			if err := trimLog(s.log); err != nil {
				s.opts.Log.Warn("the log of the embedded PostgreSQL grows", zap.Error(err))
			}
		}
	}
}

// logTail returns the end of the server's log, in the form of lastLines.
func logTail(dir string) string {
	f, err := os.Open(logPath(dir))
	if err != nil {
		return ""
	}
	defer f.Close()
	const most = 4096
	text := make([]byte, most)
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	n, _ := f.ReadAt(text, max(info.Size()-most, 0))
	return lastLines(string(text[:n]))
}

// lastLines returns the last lines of text, introduced by a colon and a line break; "" when there are none.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = lines[max(len(lines)-quotedLines, 0):]
	if joined := strings.Join(lines, "\n\t"); joined != "" {
		return ":\n\t" + joined
	}
	return ""
}
