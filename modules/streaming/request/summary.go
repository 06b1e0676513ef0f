package request

import "cmp"

// shownWords is how many of a list's words a summary shows.
const shownWords = 10

// Summary is what a viewer asked for, as administrators see it. Lists are cut to their first elements; then the counts give their
// full length, and otherwise 0.
type Summary struct {
	Devices     []string `json:"devices"`
	DeviceCount int      `json:"device_count"`
	Tags        []string `json:"tags"`
	Metrics     []string `json:"metrics"`
	MetricCount int      `json:"metric_count"`
	Every       string   `json:"every"`
	Interval    string   `json:"interval"`
	Slow        string   `json:"slow"`
}

// Summarize returns the summary of the request.
func (r *Request) Summarize() Summary {
	s := Summary{
		Devices: first(r.Devices), DeviceCount: len(r.Devices), Tags: first(r.Tags), Metrics: first(r.Metrics),
		MetricCount: len(r.Metrics), Slow: string(cmp.Or(r.Slow, Replay)),
	}
	if r.Every > 0 {
		s.Every = r.Every.String()
	}
	if r.Buckets != nil {
		s.Interval = r.Buckets.Interval.String()
	}
	return s
}

// first returns a copy of the first words, empty rather than nil.
func first(words []string) []string {
	return append([]string{}, words[:min(len(words), shownWords)]...)
}
