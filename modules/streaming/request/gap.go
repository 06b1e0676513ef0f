package request

import (
	"net/url"
	"time"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/render"
	"telltale/modules/streaming/event"
)

// coarse is the granularity of the times in gap events, in ms, when devices are hidden from the viewer.
const coarse = int64(time.Hour / time.Millisecond)

// Veil returns what the request's credentials may know of a missing part of the log. It can no longer be told which reading
// belonged to which device, and the exact times at which hidden devices reported must stay hidden.
func (r *Request) Veil(m batchlog.Missing) batchlog.Missing {
	if !r.Principal.SeesAll() && (m.MinTS != 0 || m.MaxTS != 0) {
		m.MinTS -= (m.MinTS%coarse + coarse) % coarse
		m.MaxTS += coarse - 1 - (m.MaxTS%coarse+coarse)%coarse
	}
	return m
}

// Gap returns the data of a gap event about a missing part of the log, which is veiled already.
func (r *Request) Gap(reason string, m batchlog.Missing) event.Gap {
	return r.GapBetween(reason, m.MinTS, m.MaxTS+1, m.FirstStamp, m.LastStamp)
}

// GapBetween returns the data of a gap event about readings that were taken in [from, to), in Unix ms.
func (r *Request) GapBetween(reason string, from, to, fromStamp, toStamp int64) event.Gap {
	first, last := string(render.AppendTime(nil, from)), string(render.AppendTime(nil, to))
	return event.Gap{Reason: reason, From: &first, To: &last, FromSeq: fromStamp, ToSeq: toStamp, URL: r.historyURL(first, last)}
}

// UnknownGap returns the data of a gap event when it is unknown which readings are missing.
func (r *Request) UnknownGap(fromStamp, toStamp int64) event.Gap {
	return event.Gap{Reason: "unknown", FromSeq: fromStamp, ToSeq: toStamp, URL: r.historyURL("", "")}
}

// maxURLWords bounds the devices, and the metrics, in the URL of a gap: servers limit the length of URLs.
const maxURLWords = 100

// historyURL returns the URL at which history answers what the stream would have sent, readings or buckets.
func (r *Request) historyURL(from, to string) string {
	query := url.Values{}
	if b := r.Buckets; b != nil {
		query.Set("interval", b.Interval.String())
		for _, aggregate := range b.Aggregates {
			query.Add("agg", string(aggregate))
		}
		if b.Zone != time.UTC {
			query.Set("tz", b.Zone.String())
		}
	}
	for name, values := range map[string][]string{"device": r.Devices, "metric": r.Metrics, "tag": r.Tags} {
		if len(values) > 0 && len(values) <= maxURLWords {
			query[name] = values
		}
	}
	if from != "" {
		query.Set("from", from)
		query.Set("to", to)
	}
	if len(query) == 0 {
		return "/api/readings"
	}
	return "/api/readings?" + query.Encode()
}
