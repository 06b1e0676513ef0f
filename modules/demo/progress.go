package demo

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// progress shows how far the history is: a bar on a terminal, a line for every tenth elsewhere.
type progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar // nil when out is no terminal
	total int
	done  int
	began time.Time
}

// progress announces the values that are to be written; there may be a few more in the end, because time goes on.
func (s *Simulator) progress(total int) *progress {
	p := &progress{out: s.out, total: total, began: time.Now()}
	if file, ok := s.out.(*os.File); ok && isatty.IsTerminal(file.Fd()) {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(s.out), progressbar.OptionSetDescription("Writing history"), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("values"), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
		return p
	}
	p.line("Writing %d values of history …\n", total)
	return p
}

func (p *progress) add(values int) {
	before := p.tenths()
	p.done += values
	if p.bar != nil {
		_ = p.bar.Set(min(p.done, p.total))
		return
	}
	if tenths := p.tenths(); tenths > before && tenths < 10 {
		p.line("  %d %%\n", 10*tenths)
	}
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
	if p.done > 0 {
		p.line("Wrote %d values of history in %.1f s.\n", p.done, time.Since(p.began).Seconds())
	}
}

// abandon leaves the terminal as it was when the history will not be finished.
func (p *progress) abandon() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

func (p *progress) tenths() int { return 10 * p.done / max(p.total, 1) }

// line writes for a person; a closed output is no reason to stop.
func (p *progress) line(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format, args...) }
