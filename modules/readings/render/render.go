// Package render writes history as JSON, CSV or NDJSON, straight from columns of times and values into the bytes of the
// answer, a buffer at a time: an answer is never built whole, and nothing is allocated per reading.
//
//	w := render.NewWriter(format, header, flush)
//	defer w.Release()
//	w.Series("greenhouse-7", "temperature", "°C")
//	w.Points(ts, values)      // raw readings, in as many calls as convenient
//	w.Bucket(ts, aggregates)  // or one bucket at a time
//	w.End(cursor)
//	w.Flush()
//
// # Errors on the way
//
// Once the first bytes are sent, the status is sent, and it said 200. A caller that cannot go on must then neither call End
// nor end the response properly, but close the connection: a client sees a chunked body without its last chunk, which every
// HTTP library reports, and JSON that is not closed. Release is all that a Writer needs then.
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
