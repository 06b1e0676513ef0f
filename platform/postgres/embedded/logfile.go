package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxLog is the size in bytes beyond which the server's log is put aside at start, replacing the one put aside before.
const maxLog = 4 << 20

// quotedLines is how much of a log an error quotes.
const quotedLines = 8

func logPath(dir string) string { return filepath.Join(dir, "postgres.log") }

// openLog opens the server's log for appending.
func openLog(dir string) (*os.File, error) {
	path := logPath(dir)
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("put the database's old log aside: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database's log: %w", err)
	}
	return f, nil
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
