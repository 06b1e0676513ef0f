// Package render writes history as JSON, CSV, NDJSON or Arrow, straight from columns of times and values into the bytes of
// the answer, a buffer at a time: an answer is never built whole, and nothing is allocated per reading. It does not know where
// readings come from; see the Example of Writer.
//
// A caller that fails after the first bytes were sent, and with them the status 200, must neither call End nor end the response
// properly, but close the connection: every HTTP library reports a chunked body without its last chunk, and JSON is not closed.
// Such a Writer needs only Release.
package render

// Header is what an answer says about itself before its series.
type Header struct {
	// From (inclusive) and To (exclusive) are Unix milliseconds.
	From, To int64
	// Stamp is that of the newest batch that the answer takes into account. The API calls it seq.
	Stamp int64
	// Interval and TZ describe buckets; they are left out when empty.
	Interval, TZ string
	// Downsampled names the method by which points were left out, "raw" if none was; left out when empty. DownsampledTo is the
	// width of its buckets, empty for a method without any.
	Downsampled, DownsampledTo string
	// Columns names the values of a row, which follow its time: the aggregates asked for. None means raw readings: "value".
	Columns []string
}
