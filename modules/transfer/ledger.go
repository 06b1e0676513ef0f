package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// saveEvery is how often the state of an import is saved.
const saveEvery = time.Second

// state is what is kept of an import that has not ended: a file, what it was, where it went, and up to where the server has
// acknowledged all of it.
type state struct {
	Server   string    `json:"server"`
	Options  string    `json:"options"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Done     mark      `json:"done"`
}

// ledger knows which part of a file the server has acknowledged.
type ledger struct {
	// path is that of the file it is kept in; empty if it is not kept.
	path string

	mu    sync.Mutex
	state state
	// open holds the batches that are not acknowledged; read is how far the file has been read.
	open  map[*batch]bool
	read  mark
	saved time.Time
}

// openLedger returns the ledger of a source, with what an interrupted import of the same has left unless fresh.
func openLedger(s *source, server Server, opts Options) (*ledger, error) {
	l := &ledger{open: map[*batch]bool{}, saved: time.Now()}
	l.state.Done = mark{Line: 1}
	if s.size() < 0 {
		return l, nil
	}
	l.path = s.name + ".telltale-import"
	now := state{
		Server: server.URL, Options: fmt.Sprint(opts.Format, opts.Precision, opts.DeviceTags, opts.Skip),
		Size: s.info.Size(), Modified: s.info.ModTime().UTC(), Done: l.state.Done,
	}
	l.state = now
	text, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	var before state
	if err == nil {
		err = json.Unmarshal(text, &before)
	}
	if err != nil {
		return nil, fmt.Errorf("reading where the import was interrupted: %w (remove %s to begin again)", err, l.path)
	}
	done := before.Done
	before.Done = now.Done
	if before == now && !opts.Fresh {
		l.state.Done = done
	}
	return l, nil
}

// begin notes that a batch begins at a position.
func (l *ledger) begin(b *batch, at mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.from = at
	l.open[b] = true
}

// reached notes how far the file has been read.
func (l *ledger) reached(at mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read = at
}

// settled notes that the server has acknowledged a batch, and saves the state from time to time.
func (l *ledger) settled(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, b)
	if time.Since(l.saved) >= saveEvery {
		_ = l.save() // it is tried again, at close at the latest
	}
}

// done returns up to where everything is acknowledged.
func (l *ledger) done() mark {
	done := l.read
	for b := range l.open {
		if b.from.Offset < done.Offset {
			done = b.from
		}
	}
	return done
}

// save writes the state, under the lock. That it cannot be written costs only a later resume.
func (l *ledger) save() error {
	l.saved = time.Now()
	if l.path == "" {
		return nil
	}
	if done := l.done(); done.Offset > l.state.Done.Offset {
		l.state.Done = done
	}
	return replaceFile(l.path, l.state)
}

// close ends the ledger: whole says that the import has ended, and nothing is left to resume.
func (l *ledger) close(whole bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.path == "" {
		return nil
	}
	if !whole {
		return l.save()
	}
	if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// replaceFile writes a value as JSON, so that a reader finds the old file or the new one.
func replaceFile(path string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
