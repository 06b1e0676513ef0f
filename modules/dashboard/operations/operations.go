// Package operations remembers the figures of the last hour that an operator looks at first: connections, ingest, queries, viewers,
// the fold, disk and memory, each beside its limit and the setting that changes it. They are for the page; what watches a fleet
// reads /metrics.
//
// The figures live in memory, in a ring of fixed size, and end with the program.
package operations

import (
	"context"
	"math"
	"sync"
	"time"

	"telltale/platform/version"
)

const (
	// step is the time between two samples, kept how many of them there are.
	step = 10 * time.Second
	kept = 360
	// storageStep is the time between two looks at the database's size.
	storageStep = time.Minute
)

// Figure is one figure over time.
type Figure struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	// Limit is what the figure cannot or should not exceed, nil for none.
	Limit *float64 `json:"limit"`
	// Setting is the environment variable that changes the figure or its limit, "" for none.
	Setting string `json:"setting"`
	// Values are parallel to the times of the report; nil where there was nothing to measure.
	Values []*float64 `json:"values"`
}

// Report is what has been sampled.
type Report struct {
	Version string    `json:"version"`
	Started time.Time `json:"started_at"`
	// Uptime and Step are in whole seconds.
	Uptime int64 `json:"uptime_seconds"`
	Step   int64 `json:"step_seconds"`
	// Times are those of the samples, in Unix milliseconds.
	Times   []int64  `json:"times"`
	Figures []Figure `json:"figures"`
	// Settings are the variables that figures name.
	Settings []Setting `json:"settings"`
}

// Recorder samples the figures between Start and Stop.
type Recorder struct {
	sources  Sources
	defined  []definition
	settings []Setting
	began    time.Time

	cancel  context.CancelFunc
	running sync.WaitGroup
	before  *snapshot // the last one; for the sampling goroutine alone

	mu      sync.Mutex
	samples []sample // a ring: the oldest is at next once there are as many as are kept
	next    int
	storage Storage
}

// sample has one value for each definition; NaN is none.
type sample struct {
	at     int64
	values []float64
}

// New returns a recorder of what the sources say.
func New(sources Sources, limits Limits) *Recorder {
	return &Recorder{sources: sources, defined: definitions(limits), settings: settings(limits), began: time.Now(), storage: noStorage()}
}

// Start takes the first sample, and goes on until Stop.
func (r *Recorder) Start(ctx context.Context) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	r.sample()
	r.running.Go(func() { every(background, step, r.sample) })
	r.running.Go(func() {
		r.measure(background)
		every(background, storageStep, func() { r.measure(background) })
	})
	return nil
}

// Stop returns when nothing is sampled any more.
func (r *Recorder) Stop(context.Context) error {
	r.cancel()
	r.running.Wait()
	return nil
}

// every does the work at each tick until the context ends.
func every(ctx context.Context, step time.Duration, work func()) {
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			work()
		case <-ctx.Done():
			return
		}
	}
}

// sample adds a sample, in the place of the oldest once there are as many as are kept.
func (r *Recorder) sample() {
	r.mu.Lock()
	storage := r.storage
	r.mu.Unlock()
	now := r.sources.snapshot(storage)
	if r.before == nil {
		r.before = now
	}
	s := sample{at: now.at.UnixMilli(), values: make([]float64, len(r.defined))}
	for n, d := range r.defined {
		s.values[n] = d.value(r.before, now)
	}
	r.before = now
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.samples) < kept {
		r.samples = append(r.samples, s)
		return
	}
	r.samples[r.next] = s
	r.next = (r.next + 1) % kept
}

// measure looks at the database's size. While that fails, what was found last stays.
func (r *Recorder) measure(ctx context.Context) {
	found, err := r.sources.Storage(ctx)
	if err != nil {
		return // the database is away, which others log
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.storage = found
}

// Report returns the samples after the time since, in Unix milliseconds.
func (r *Recorder) Report(since int64) Report {
	now := time.Now()
	report := Report{
		Version: version.Number(), Started: r.began.UTC().Truncate(time.Millisecond), Uptime: int64(now.Sub(r.began).Seconds()),
		Step: int64(step.Seconds()), Times: []int64{}, Figures: make([]Figure, len(r.defined)), Settings: r.settings,
	}
	for n, d := range r.defined {
		report.Figures[n] = Figure{Name: d.name, Unit: d.unit, Limit: d.limit, Setting: d.setting, Values: []*float64{}}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := range r.samples {
		s := r.samples[(r.next+n)%len(r.samples)]
		if s.at <= since {
			continue
		}
		report.Times = append(report.Times, s.at)
		for n, value := range s.values {
			report.Figures[n].Values = append(report.Figures[n].Values, known(value))
		}
	}
	return report
}

// known returns the value as JSON can hold it, with as many digits as say something.
func known(value float64) *float64 {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return nil
	}
	rounded := math.Round(value*1000) / 1000
	return &rounded
}
