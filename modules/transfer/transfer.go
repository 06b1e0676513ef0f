// Package transfer moves readings between files and a running server: Import posts the readings of files, Export writes history to
// a file. Both are ordinary clients of the HTTP API and know nothing of how the server stores readings.
//
// What Export writes, Import reads. Either resumes where it was interrupted: a small file beside the one that is read or written
// records how far it got. Repeating a part changes nothing, because for one device, metric and instant there is one reading.
package transfer

import (
	"fmt"
	"net/http"
	"time"
)

// Server is the server that readings are moved to or from.
type Server struct {
	// URL is its base URL, without a slash at the end: "http://127.0.0.1:8000".
	URL string
	// Token is an API key or access token. It is in no error and no file.
	Token string
	// HTTP sends the requests; nil stands for a client of the package's own.
	HTTP *http.Client
}

// Refusal is an answer that asking again would not change.
type Refusal struct {
	Status int
	// Message is what the server says, for a person to read.
	Message string

	body []byte
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("the server answered %d (%s): %s", r.Status, http.StatusText(r.Status), r.Message)
}

const (
	// tryLimit bounds how long one request may take.
	tryLimit = 2 * time.Minute
	// patience is for how long a server that has answered before may be out of reach.
	patience = 5 * time.Minute
	// pauseUnasked is the wait before the next try where the server does not say, maxPause the most it may ask for.
	pauseUnasked, maxPause = time.Second, time.Minute
	// maxAnswer bounds an answer in bytes; a page of an export has the most.
	maxAnswer = 256 << 20
)
