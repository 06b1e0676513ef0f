package transfer

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// Screen shows a person how an import or export goes: a bar on a terminal, elsewhere only what has to be said.
type Screen struct {
	out io.Writer
	bar *progressbar.ProgressBar // nil when out is no terminal, or nothing is under way
}

// NewScreen returns a Screen that writes to out.
func NewScreen(out io.Writer) *Screen { return &Screen{out: out} }

// File implements Reporter.
func (s *Screen) File(name string, size int64, resumed bool) {
	s.Close()
	if resumed {
		s.Line("Going on with %s where it was interrupted …", name)
	}
	s.begin(size, name, progressbar.OptionShowBytes(true))
}

// Read implements Reporter.
func (s *Screen) Read(bytes int64) { s.set(bytes) }

// Rejected implements Reporter.
func (s *Screen) Rejected(rejects []Reject, more int) {
	if s.bar != nil {
		_ = s.bar.Clear()
	}
	for _, r := range rejects {
		s.Line("%s:%d: %s", r.File, r.Line, r.Reason)
	}
	if more > 0 {
		s.Line("… and %d more", more)
	}
}

// Readings shows how many readings have been exported.
func (s *Screen) Readings(count int64) {
	if s.bar == nil {
		s.begin(-1, "Exporting", progressbar.OptionShowIts(), progressbar.OptionSetItsString("readings"))
	}
	s.set(count)
}

// Close takes the bar away.
func (s *Screen) Close() {
	if s.bar != nil {
		_ = s.bar.Clear()
		s.bar = nil
	}
}

// Line writes a line for a person; a closed output is no reason to stop.
func (s *Screen) Line(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format+"\n", args...) }

func (s *Screen) begin(size int64, what string, more ...progressbar.Option) {
	file, ok := s.out.(*os.File)
	if !ok || !isatty.IsTerminal(file.Fd()) {
		return
	}
	s.bar = progressbar.NewOptions64(size, append(more,
		progressbar.OptionSetWriter(s.out), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
	)...)
}

func (s *Screen) set(n int64) {
	if s.bar != nil {
		_ = s.bar.Set64(n)
	}
}
