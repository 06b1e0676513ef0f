package config

import (
	"fmt"
	"strings"
)

// Fault is one setting that cannot be used.
type Fault struct {
	// Variable is the name of the environment variable.
	Variable string
	// Value is what it holds, quoted, or why that is not shown. Empty for a variable that is missing.
	Value string
	// Reason says what is wrong, or what is allowed.
	Reason string
}

// String returns the fault as one line.
func (f Fault) String() string {
	if f.Value == "" {
		return f.Variable + ": " + f.Reason
	}
	return f.Variable + "=" + f.Value + ": " + f.Reason
}

// Faults is every setting at fault, in the order of the table of variables. It never holds a secret.
type Faults []Fault

// Error returns one line for each fault beneath a heading.
func (f Faults) Error() string {
	var b strings.Builder
	if len(f) == 1 {
		b.WriteString("a setting is at fault:")
	} else {
		fmt.Fprintf(&b, "%d settings are at fault:", len(f))
	}
	for _, fault := range f {
		b.WriteString("\n  " + fault.String())
	}
	return b.String()
}

// longestShown is how much of a value a fault repeats.
const longestShown = 100

// shown returns a value as a fault may repeat it.
func shown(value string) string {
	switch {
	case value == "":
		return ""
	case mayHoldCredentials(value):
		return "(not shown)"
	case len(value) > longestShown:
		return fmt.Sprintf("%q…", value[:longestShown])
	}
	return fmt.Sprintf("%q", value)
}

// mayHoldCredentials reports whether the value of a variable that is no secret should be kept from terminals and logs all
// the same: URLs like postgres://user:password@host end up in the wrong variable easily.
func mayHoldCredentials(value string) bool {
	return strings.Contains(value, "@") && strings.Contains(value, ":") || strings.Contains(value, "PRIVATE KEY")
}
