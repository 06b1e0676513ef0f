package transfer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"sync"
)

// Options say how files are imported.
type Options struct {
	// Format is that of the files; empty means that each file's content tells.
	Format Format
	// Skip goes on where records are bad, and lists them; without it, the import ends at the first batch that has any.
	Skip bool
	// Fresh begins at the beginning of each file, whatever an interrupted import has left.
	Fresh bool
	// Parallel is how many requests may be under way at once. Those of one device follow each other.
	Parallel int
	// Batch is how many records one request has at most; 0 stands for 10,000.
	Batch int
	// Precision is the unit of the times of line protocol, and DeviceTags are the tags that may name the device.
	Precision  string
	DeviceTags []string
}

// Summary counts the records of the files imported: items, rows and lines.
type Summary struct {
	Stored, Rejected int
}

// Reporter is told how an import goes, from one goroutine at a time.
type Reporter interface {
	// File says that a file begins, with its size in bytes (-1 if unknown), at done if it was interrupted before.
	File(name string, size int64, resumed bool)
	// Read says how many bytes of the file have been read, as they are there.
	Read(bytes int64)
	// Rejected lists records that the server did not take, and says how many more there were.
	Rejected(rejects []Reject, more int)
}

// Import posts the readings of the files to the server, in their order; "-" is stdin. For each device they are stored in the
// order of the file. It returns when all are acknowledged, when one cannot be, or when ctx ends; what was acknowledged
// until then is stored, and imported again from where it was.
//
// Readings without a time are given that of their arrival, so only files with times can be imported twice for once.
func Import(ctx context.Context, server Server, opts Options, files []string, stdin io.Reader, report Reporter) (Summary, error) {
	opts.Parallel, opts.Batch = max(opts.Parallel, 1), cmp.Or(opts.Batch, batchRecords)
	conn := connect(server, opts.Parallel)
	defer conn.close()
	var all Summary
	for _, name := range files {
		done, err := importFile(ctx, conn, opts, name, stdin, report)
		all.Stored += done.Stored
		all.Rejected += done.Rejected
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// importFile imports one file.
func importFile(ctx context.Context, conn *connection, opts Options, name string, stdin io.Reader, report Reporter) (Summary, error) {
	s, err := openSource(name, stdin)
	if err != nil {
		return Summary{}, err
	}
	defer s.file.Close()
	l, err := openLedger(s, conn.server, opts)
	if err != nil {
		return Summary{}, err
	}
	report.File(s.name, s.size(), l.state.Done.Offset > 0)
	run := &importing{conn: conn, opts: opts, source: s, ledger: l, report: report, seed: maphash.MakeSeed()}
	err = run.all(ctx)
	if kept := l.close(err == nil); kept != nil && err == nil {
		err = kept
	}
	if err != nil {
		err = fmt.Errorf("importing %s: %w", s.name, err)
	}
	return run.summary, err
}

// importing is one file on its way.
type importing struct {
	conn   *connection
	opts   Options
	source *source
	ledger *ledger
	report Reporter
	syntax syntax
	target string

	// Each lane is a goroutine that sends its batches one after the other. Those of one device are in one lane.
	lanes []chan *batch
	// filling are the batches of the lanes that are not full yet.
	filling []*batch
	seed    maphash.Seed

	mu      sync.Mutex
	summary Summary
}

// all imports the file.
func (i *importing) all(ctx context.Context) error {
	in, err := i.prepare()
	if errors.Is(err, io.EOF) {
		return nil // it is empty
	}
	if err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var lanes sync.WaitGroup
	for range i.opts.Parallel {
		lane := make(chan *batch, 1)
		i.lanes, i.filling = append(i.lanes, lane), append(i.filling, nil)
		lanes.Go(func() {
			for b := range lane {
				if ctx.Err() != nil {
					continue // so that the reader never waits for ever
				}
				if err := i.send(ctx, b); err != nil {
					fail(err)
				}
			}
		})
	}
	err = i.read(ctx, in)
	for _, lane := range i.lanes {
		close(lane)
	}
	lanes.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// prepare finds out how to read the file, and goes to where it is to be read on.
func (i *importing) prepare() (*records, error) {
	if i.opts.Format == "" {
		format, err := detect(i.source.text)
		if err != nil {
			return nil, err
		}
		i.opts.Format = format
	}
	database := exportedFrom(i.source.text)
	in := &records{in: i.source.text, at: mark{Line: 1}}
	if start, _ := i.source.text.Peek(len(bom)); bytes.Equal(start, bom) {
		if err := in.skipTo(mark{Offset: int64(len(bom)), Line: 1}); err != nil {
			return nil, err
		}
	}
	var header []byte
	for i.opts.Format == CSV && len(header) == 0 {
		text, _, err := in.next()
		if err != nil {
			return nil, err
		}
		header = bytes.Clone(text)
	}
	var err error
	if i.syntax, err = syntaxOf(i.opts.Format, header, i.opts.DeviceTags); err != nil {
		return nil, err
	}
	i.target, in.open = target(i.syntax, i.opts, database), i.syntax.open
	if done := i.ledger.state.Done; done.Offset > in.at.Offset {
		return in, in.skipTo(done)
	}
	return in, nil
}

// read deals the records out to the lanes.
func (i *importing) read(ctx context.Context, in *records) error {
	defer i.tell()
	for {
		text, from, err := in.next()
		if errors.Is(err, errOpen) {
			if err = i.unsent(from.Line, err); err == nil {
				continue
			}
		}
		if err != nil {
			// What stands before a broken record is good, and is not to be read again.
			for n := range i.lanes {
				i.dispatch(ctx, n)
			}
			i.ledger.reached(from)
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if i.syntax.blank(text) {
			continue
		}
		n := int(maphash.Bytes(i.seed, i.syntax.device(text)) % uint64(len(i.lanes)))
		b := i.filling[n]
		if b == nil {
			b = i.newBatch()
			i.filling[n] = b
			i.ledger.begin(b, from)
		}
		if b.add(text, from); b.full(i.opts.Batch) {
			i.dispatch(ctx, n)
			i.ledger.reached(in.at)
			i.dispatchOld(ctx, in.at)
			i.tell()
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// unsent notes a record that is not sent, because it would take others with it.
func (i *importing) unsent(line int, err error) error {
	if !i.opts.Skip {
		return fmt.Errorf("line %d %w", line, err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.summary.Rejected++
	i.report.Rejected([]Reject{{File: i.source.name, Line: line, Reason: err.Error()}}, 0)
	return nil
}

func (i *importing) newBatch() *batch {
	b := &batch{body: make([]byte, 0, batchBytes/8)}
	if i.syntax.header != nil {
		b.body = append(append(b.body, i.syntax.header...), '\n')
	}
	return b
}

// dispatch hands a lane its batch.
func (i *importing) dispatch(ctx context.Context, n int) {
	if b := i.filling[n]; b != nil {
		i.filling[n] = nil
		select {
		case i.lanes[n] <- b:
		case <-ctx.Done():
		}
	}
}

// dispatchOld hands over batches that hardly fill: they would keep the ledger at where they began.
func (i *importing) dispatchOld(ctx context.Context, at mark) {
	for n, b := range i.filling {
		if b != nil && at.Offset-b.from.Offset > 8*batchBytes {
			i.dispatch(ctx, n)
		}
	}
}

// send posts a batch until the server has taken it.
func (i *importing) send(ctx context.Context, b *batch) error {
	answer, err := i.conn.call(ctx, http.MethodPost, i.target, i.syntax.contentType, b.body)
	refused, _ := errors.AsType[*Refusal](err)
	if err != nil && refused == nil {
		return err
	}
	rejected, rejects, unread := b.settle(i.source.name, answer, refused)
	if refused == nil && unread != nil {
		return fmt.Errorf("reading the server's answer: %w", unread)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if rejected > 0 {
		i.report.Rejected(rejects, rejected-len(rejects))
	}
	switch {
	case refused != nil && rejected == 0:
		return err // it means the whole request
	case refused != nil && !i.opts.Skip:
		return fmt.Errorf("%d records are not valid, and nothing between the lines %d and %d was stored",
			rejected, b.lines[0], b.lines[len(b.lines)-1])
	}
	i.summary.Stored += len(b.lines) - rejected
	i.summary.Rejected += rejected
	i.ledger.settled(b)
	return nil
}

// tell reports how far the file has been read.
func (i *importing) tell() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.report.Read(i.source.taken.Load())
}
