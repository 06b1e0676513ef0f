// Package health lets each part of the program say whether it is ready, from memory and without waiting. A Probe reports readiness;
// Trouble remembers since when something fails.
//
// It serves nothing: package httpapp asks the probes and answers.
package health

// Probe is one part's answer to "can you work?". Modules contribute theirs to the fx group "probes".
type Probe struct {
	// Name is the key of the probe in the health answer, such as "database" or "tail".
	Name string
	// Check returns nil when the part can work, and otherwise an error that tells an operator why not. Detail is
	// shown beside it in the health answer (pool sizes, lag); it may be nil. Check answers from memory, at once, and
	// may be called concurrently.
	Check func() (detail map[string]any, err error)
}
