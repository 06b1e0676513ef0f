package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// bookmark is what is kept of an export that has not ended.
type bookmark struct {
	Server    string `json:"server"`
	Selection string `json:"selection"`
	// From and To are the bounds in Unix milliseconds; To is 0 before they are known.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Cursor is where the next page begins, Bytes how long the file was then.
	Cursor   string `json:"cursor"`
	Bytes    int64  `json:"bytes"`
	Readings int64  `json:"readings"`
}

// destination is the file that an export is written to.
type destination struct {
	name string
	// at is how far the export is.
	at bookmark

	out    io.Writer
	file   *os.File // nil for standard output
	zipped bool
}

// openTarget opens the file to export to; fresh is the bookmark of an export that begins.
func openTarget(name string, overwrite bool, stdout io.Writer, fresh bookmark) (*destination, error) {
	if name == "-" {
		return &destination{name: "standard output", out: stdout, at: fresh}, nil
	}
	d := &destination{name: name, at: fresh, zipped: strings.HasSuffix(name, ".gz")}
	resumed, err := d.recall()
	if err != nil {
		return nil, err
	}
	flags := os.O_WRONLY | os.O_CREATE
	switch {
	case overwrite:
		d.at, flags = fresh, flags|os.O_TRUNC
	case !resumed:
		flags |= os.O_EXCL
	}
	if d.file, err = os.OpenFile(name, flags, 0o600); errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there already; remove it, or say --overwrite", name)
	}
	if err != nil {
		return nil, err
	}
	d.out = d.file
	// What was written behind the bookmark is written again.
	err = d.file.Truncate(d.at.Bytes)
	if err == nil {
		_, err = d.file.Seek(d.at.Bytes, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, d.file.Close())
	}
	return d, nil
}

func (d *destination) bookmarkPath() string { return d.name + ".telltale-export" }

// recall takes up the bookmark of an interrupted export of the same selection, if there is one.
func (d *destination) recall() (resumed bool, err error) {
	text, err := os.ReadFile(d.bookmarkPath())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	var before bookmark
	if err == nil {
		err = json.Unmarshal(text, &before)
	}
	if err != nil {
		return false, fmt.Errorf("reading where the export was interrupted: %w (remove %s to begin again)", err, d.bookmarkPath())
	}
	if before.Server != d.at.Server || before.Selection != d.at.Selection {
		return false, nil
	}
	if info, err := os.Stat(d.name); err != nil || info.Size() < before.Bytes {
		return false, nil // it is not the file that was left
	}
	d.at = before
	return true, nil
}

// write appends a page, and notes that the file is complete up to here. A compressed page is a member of its own, so that
// the file can be cut behind it.
func (d *destination) write(page []byte) error {
	if !d.zipped {
		if _, err := d.out.Write(page); err != nil {
			return err
		}
	} else {
		w := gzip.NewWriter(d.out)
		if _, err := w.Write(page); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	if d.file == nil {
		return nil
	}
	end, err := d.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	d.at.Bytes = end
	return replaceFile(d.bookmarkPath(), d.at)
}

// close ends the export: whole says that nothing is left to resume.
func (d *destination) close(whole bool) error {
	if d.file == nil {
		return nil
	}
	if err := d.file.Close(); err != nil {
		return err
	}
	if !whole {
		if d.at.Bytes == 0 { // nothing that would be worth going on with
			return os.Remove(d.name)
		}
		return nil
	}
	if err := os.Remove(d.bookmarkPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
