package demo

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// perRequest is how many instants of each device travel in one request: with the whole fleet about 7,000 values, half a
// megabyte of JSON.
const perRequest = 20

// fill writes the readings that devices lack: from the one after the newest, or from the beginning of history, until now.
// It goes forward in time for all devices together, and a request follows only when the one before is stored: whenever it
// is interrupted, what is missing is what comes after the newest reading.
func (s *Simulator) fill(ctx context.Context, newest map[string]int64) error {
	from := s.beginnings(newest)
	first := s.last()
	for _, ms := range from {
		first = min(first, ms)
	}
	missing := s.missing(from)
	if missing == 0 {
		return nil
	}
	bar := s.progress(missing)
	var body []byte
	for at := first; at <= s.last(); at += perRequest * step.Milliseconds() {
		until := min(at+perRequest*step.Milliseconds(), s.last()+1)
		body = append(body[:0], `{"readings":[`...)
		count := 0
		for _, d := range s.fleet {
			for ms := max(at, from[d.id]); ms < until; ms += step.Milliseconds() {
				body = d.appendReading(body, ms)
				count += len(d.sensors)
			}
		}
		if count == 0 {
			continue
		}
		if err := s.post(ctx, body); err != nil {
			bar.abandon()
			return err
		}
		bar.add(count)
	}
	bar.finish()
	return nil
}

// last returns the latest instant that history may have by now.
func (s *Simulator) last() int64 {
	return s.now().Truncate(step).UnixMilli()
}

// beginnings returns the first instant that each device lacks.
func (s *Simulator) beginnings(newest map[string]int64) map[string]int64 {
	from := make(map[string]int64, len(s.fleet))
	for _, d := range s.fleet {
		begin := s.now().Add(-s.history).Truncate(step)
		if ms, ok := newest[d.id]; ok {
			begin = time.UnixMilli(ms).Truncate(step).Add(step)
			if earliest := s.now().Add(-longestGap).Truncate(step); begin.Before(earliest) {
				begin = earliest
			}
		}
		from[d.id] = begin.UnixMilli()
	}
	return from
}

// missing returns how many values there are to write.
func (s *Simulator) missing(from map[string]int64) (values int) {
	for _, d := range s.fleet {
		if lacking := s.last() - from[d.id]; lacking >= 0 {
			values += int(lacking/step.Milliseconds()+1) * len(d.sensors)
		}
	}
	return values
}

// post stores readings: a body to which appendReading has added some.
func (s *Simulator) post(ctx context.Context, body []byte) error {
	body = append(body[:len(body)-1], `]}`...) // in place of the last comma
	return s.api.call(ctx, http.MethodPost, "/api/readings", body, nil)
}

// appendReading appends what the device's sensors read at an instant, with a comma behind it. Ids and metrics of the
// fleet need no escapes in JSON.
func (d device) appendReading(body []byte, ms int64) []byte {
	body = append(body, `{"device":"`...)
	body = append(body, d.id...)
	body = append(body, `","ts":`...)
	body = strconv.AppendInt(body, ms, 10)
	body = append(body, `,"values":{`...)
	for i, sensor := range d.sensors {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, '"')
		body = append(body, sensor.metric...)
		body = append(body, `":`...)
		body = strconv.AppendFloat(body, sensor.read(ms), 'f', -1, 64)
	}
	return append(body, `}},`...)
}
