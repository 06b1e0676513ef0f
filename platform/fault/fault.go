// Package fault names the ways in which a request can go wrong, without knowing any transport.
//
// Services return a *Fault for what the caller can understand or act on. Every other error is an internal one, whose text never
// leaves the process. Package httpapi turns kinds into HTTP statuses, in one table.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says who has to act on a fault, and how.
type Kind int

// The kinds, from "ours" to "theirs".
const (
	Internal         Kind = iota // a bug or a database error; details stay in the log
	Invalid                      // the request fails validation
	Unauthenticated              // no valid credentials
	Forbidden                    // valid credentials that do not cover the request
	NotFound                     // the thing named in the path does not exist, or is hidden from the caller
	Conflict                     // the request contradicts what is stored
	TooLarge                     // a body, batch or answer over its limit
	UnsupportedMedia             // a body in a format or encoding that is not read here
	NotAcceptable                // an answer in a format that is not written here
	MethodNotAllowed             // the path exists, the method does not
	TooManyRequests              // the caller has to slow down; see RetryAfter
	Unavailable                  // we cannot serve this now and the caller may retry; see RetryAfter
)

// Field is one reason why a request is invalid, tied to the part of the request that it speaks of.
type Field struct {
	// Name is the parameter, the JSON path (`readings[3].ts`) or the CSV line that is at fault.
	Name string `json:"field"`
	// Reason says what is wrong with it and what would be right.
	Reason string `json:"reason"`
}

// maxFields is how many reasons Fields keeps; the others are only counted. A small request can hold thousands of mistakes.
const maxFields = 100

// Fields collects what is wrong with a request: the first hundred reasons, and how many more there are. The zero value holds
// nothing.
type Fields struct {
	list     []Field
	unlisted int
}

// Add notes a reason, which is formatted.
func (f *Fields) Add(name, format string, args ...any) {
	if len(f.list) == maxFields {
		f.unlisted++
		return
	}
	f.list = append(f.list, Field{Name: name, Reason: fmt.Sprintf(format, args...)})
}

// Include notes the reasons of an Invalid fault; nil and other errors have none.
func (f *Fields) Include(err error) { f.IncludeWithin("", err) }

// IncludeWithin is Include for the fault of a part of the request, whose name is put in front of the names of its fields.
func (f *Fields) IncludeWithin(part string, err error) {
	other := As(err)
	if other == nil {
		return
	}
	if part != "" {
		part += "."
	}
	for _, field := range other.Fields {
		f.Add(part+field.Name, "%s", field.Reason)
	}
	f.unlisted += other.Unlisted
}

// Empty reports whether nothing was noted.
func (f *Fields) Empty() bool { return len(f.list) == 0 }

// Err returns an Invalid fault with what was noted, nil when nothing was. Its message says how many reasons there are when it
// does not list them all.
func (f *Fields) Err() error {
	if f.Empty() {
		return nil
	}
	invalid := invalidFields(f.list)
	if invalid.Unlisted = f.unlisted; f.unlisted > 0 {
		invalid.Message += fmt.Sprintf(" for %d reasons (the first %d are listed)", len(f.list)+f.unlisted, len(f.list))
	}
	return invalid
}

// Fault is an error that a caller is told about.
type Fault struct {
	Kind Kind
	// Message is one sentence for the caller. It never carries a secret or a detail of the database.
	Message string
	// Fields lists the reasons of an Invalid fault, Unlisted says how many more there are.
	Fields   []Field
	Unlisted int
	// RetryAfter is how long the caller should wait, for TooManyRequests and Unavailable; zero means "soon".
	RetryAfter time.Duration
	// Err is the cause, for the log only; may be nil.
	Err error
}

// Error returns the message and, behind it, the cause: a text for logs, not for callers.
func (f *Fault) Error() string {
	text := f.Message
	for _, field := range f.Fields {
		text += "; " + field.Name + ": " + field.Reason
	}
	if f.Err != nil {
		text += ": " + f.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// New returns a fault of the kind given with a formatted message.
func New(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// InvalidField returns an Invalid fault that speaks of a single field.
func InvalidField(name, format string, args ...any) *Fault {
	return invalidFields([]Field{{Name: name, Reason: fmt.Sprintf(format, args...)}})
}

func invalidFields(fields []Field) *Fault {
	return &Fault{Kind: Invalid, Message: "the request is not valid", Fields: fields}
}

// Busy returns an Unavailable fault that asks the caller to retry after the duration given.
func Busy(retryAfter time.Duration, cause error, format string, args ...any) *Fault {
	return &Fault{Kind: Unavailable, Message: fmt.Sprintf(format, args...), RetryAfter: retryAfter, Err: cause}
}

// As returns the fault within err, or nil when there is none.
func As(err error) *Fault {
	f, _ := errors.AsType[*Fault](err)
	return f
}

// KindOf returns the kind of the fault within err, Internal when there is none.
func KindOf(err error) Kind {
	if f := As(err); f != nil {
		return f.Kind
	}
	return Internal
}
