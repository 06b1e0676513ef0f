package health

import (
	"sync"
	"time"
)

// Failing is the error of a check that knows since when it fails.
type Failing struct {
	Since time.Time
	Err   error
}

// Error returns the text of the error within.
func (f *Failing) Error() string { return f.Err.Error() }

// Unwrap returns the error within.
func (f *Failing) Unwrap() error { return f.Err }

// Trouble remembers whether what is tried again and again works, since when it does not, and whether a try takes too long. The
// zero value works. Methods are safe for concurrent use.
type Trouble struct {
	mu    sync.Mutex
	since time.Time // of err
	err   error
	began time.Time // of the try under way; zero when there is none
}

// Begin notes the beginning of a try, which Note ends.
func (t *Trouble) Begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.began = time.Now()
}

// Progress notes that the try under way, if there is one, gets on.
func (t *Trouble) Progress() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.began.IsZero() {
		t.began = time.Now()
	}
}

// End ends a try that has shown nothing.
func (t *Trouble) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.began = time.Time{}
}

// Note notes how a try has ended, and reports whether that is news: it worked before and does not now, or the reverse.
func (t *Trouble) Note(err error) (news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	news = (err == nil) != (t.err == nil)
	if news {
		t.since = time.Now()
		if !t.began.IsZero() {
			t.since = t.began
		}
	}
	t.err, t.began = err, time.Time{}
	return news
}

// Err returns a *Failing with the error noted last. A try that is under way for longer than patience is one too: with the error
// stalled. It returns nil when all is well.
func (t *Trouble) Err(patience time.Duration, stalled error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.err != nil:
		return &Failing{Since: t.since, Err: t.err}
	case !t.began.IsZero() && time.Since(t.began) > patience:
		return &Failing{Since: t.began, Err: stalled}
	}
	return nil
}
