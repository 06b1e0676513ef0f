package operations

import (
	"math"
	"runtime"
	"runtime/debug"
	"time"

	"telltale/config"
	"telltale/modules/readings/batchlog"
)

// Limits are the settings that figures are held against.
type Limits struct {
	DB        config.DB
	Readings  config.Readings
	Streaming config.Streaming
}

// definition says how a figure is made.
type definition struct {
	name, unit string
	limit      *float64
	setting    string
	// value makes the figure of a sample and the one before it, which is the same for the first one; NaN is none.
	value func(before, now *snapshot) float64
}

// What most figures are about.
var (
	history = labels{"route": "/api/readings", "method": "GET"}
	all     = labels{}
)

// definitions returns the figures in the order in which they are shown.
func definitions(l Limits) []definition {
	var list []definition
	for _, part := range [][]definition{poolFigures(l.DB), ingestFigures(l), queryFigures(l.Readings), streamFigures(), foldFigures(l.Readings), machineFigures()} {
		list = append(list, part...)
	}
	return list
}

func poolFigures(cfg config.DB) []definition {
	pool := func(value func(now *snapshot) int) func(_, now *snapshot) float64 {
		return func(_, now *snapshot) float64 {
			if !now.hasPool {
				return math.NaN()
			}
			return float64(value(now))
		}
	}
	return []definition{
		{"pool_in_use", "connections", most(cfg.MaxConnections), "DB_MAX_CONNECTIONS", pool(func(now *snapshot) int { return now.pool.InUse })},
		{"pool_idle", "connections", most(cfg.MaxConnections), "DB_MIN_CONNECTIONS", pool(func(now *snapshot) int { return now.pool.Idle })},
		{"pool_waits", "waits/s", nil, "DB_MAX_CONNECTIONS", rate(func(s *snapshot) float64 { return float64(s.pool.Waits) })},
		{"pool_wait_time", "ms", millis(cfg.ConnectionTimeout), "DB_CONNECTION_TIMEOUT_SECS", each(
			func(s *snapshot) float64 { return milliseconds(s.pool.Waited) }, func(s *snapshot) float64 { return float64(s.pool.Waits) })},
	}
}

func ingestFigures(l Limits) []definition {
	commits := func(s *snapshot) float64 { return float64(s.commits.Commits) }
	return []definition{
		{"ingest_readings", "readings/s", nil, "", rate(func(s *snapshot) float64 { return float64(s.commits.Readings) })},
		{"ingest_commits", "commits/s", nil, "", rate(commits)},
		{"commit_time", "ms", millis(l.DB.StatementTimeout), "DB_STATEMENT_TIMEOUT_SECS", each(
			func(s *snapshot) float64 { return milliseconds(s.commits.Took) }, commits)},
		{"queued_bytes", "bytes", most(batchlog.QueuedMemory(l.Readings.MaxQueuedReadings)), "READINGS_MAX_QUEUED", level(func(s *snapshot) int { return s.queued })},
	}
}

func queryFigures(cfg config.Readings) []definition {
	const durations = "telltale_http_request_duration_seconds"
	took := func(share float64) func(before, now *snapshot) float64 {
		return func(before, now *snapshot) float64 {
			return 1000 * now.metrics.distribution(durations, history).since(before.metrics.distribution(durations, history)).quantile(share)
		}
	}
	requests := func(where labels) func(s *snapshot) float64 {
		return func(s *snapshot) float64 { return s.metrics.sum("telltale_http_requests_total", where) }
	}
	return []definition{
		{"history_queries", "queries/s", nil, "", rate(requests(history))},
		{"history_p50", "ms", millis(cfg.QueryTimeout), "QUERY_TIMEOUT_SECS", took(.5)},
		{"history_p95", "ms", millis(cfg.QueryTimeout), "QUERY_TIMEOUT_SECS", took(.95)},
		{"http_requests", "requests/s", nil, "", rate(requests(all))},
		{"http_failures", "requests/s", nil, "", rate(requests(labels{"status": "5xx"}))},
	}
}

func streamFigures() []definition {
	const delay = "telltale_stream_delay_seconds"
	sum := func(name string) func(s *snapshot) float64 {
		return func(s *snapshot) float64 { return s.metrics.sum(name, all) }
	}
	return []definition{
		{"stream_viewers", "viewers", nil, "STREAM_MAX_PER_USER", func(_, now *snapshot) float64 { return sum("telltale_stream_viewers")(now) }},
		{"stream_events", "events/s", nil, "", rate(sum("telltale_stream_events_total"))},
		{"stream_delay_p95", "ms", nil, "", func(before, now *snapshot) float64 {
			return 1000 * now.metrics.distribution(delay, all).since(before.metrics.distribution(delay, all)).quantile(.95)
		}},
		{"stream_lag", "batches", nil, "STREAM_WRITE_TIMEOUT_SECS", func(_, now *snapshot) float64 { return sum("telltale_stream_lag_batches")(now) }},
	}
}

func foldFigures(cfg config.Readings) []definition {
	return []definition{
		{"unfolded_readings", "readings", most(cfg.FoldReadings), "FOLD_READINGS", level(func(s *snapshot) int { return s.window.Unfolded })},
		{"unfolded_bytes", "bytes", most(batchlog.UnfoldedMemory(cfg.MaxUnfoldedReadings)), "READINGS_MAX_UNFOLDED", level(func(s *snapshot) int { return s.window.UnfoldedBytes })},
		// The log's head is that of the last look at the database: what has come since counts at the next.
		{"tail_lag", "batches", nil, "", func(_, now *snapshot) float64 { return math.Max(0, now.storage.Head-float64(now.window.Head)) }},
		{"fold_lag", "batches", nil, "FOLD_INTERVAL_SECS", level(func(s *snapshot) int { return int(s.window.Head - s.window.Folded) })},
		{"window_bytes", "bytes", most(cfg.WindowBytes), "WINDOW_BYTES", level(func(s *snapshot) int { return s.window.Bytes })},
		{"series", "series", most(cfg.MaxSeries), "MAX_SERIES", level(func(s *snapshot) int { return s.series })},
		{"database_bytes", "bytes", nil, "READINGS_RETENTION_DAYS", func(_, now *snapshot) float64 { return now.storage.Bytes }},
		{"bytes_per_reading", "bytes", nil, "", func(_, now *snapshot) float64 { return now.storage.BytesPerReading }},
	}
}

func machineFigures() []definition {
	gauge := func(name string) func(_, now *snapshot) float64 {
		return func(_, now *snapshot) float64 { return now.metrics.sum(name, all) }
	}
	return []definition{
		{"memory_heap", "bytes", memoryLimit(), "GOMEMLIMIT", gauge("go_memstats_heap_alloc_bytes")},
		{"memory_resident", "bytes", memoryLimit(), "GOMEMLIMIT", gauge("process_resident_memory_bytes")},
		{"cpu", "cores", most(runtime.GOMAXPROCS(0)), "GOMAXPROCS", rate(func(s *snapshot) float64 { return s.metrics.sum("process_cpu_seconds_total", all) })},
	}
}

// memoryLimit returns the runtime's limit, nil when it has none.
func memoryLimit() *float64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return most(int(limit))
	}
	return nil
}

func most(limit int) *float64 {
	value := float64(limit)
	return &value
}

func millis(limit time.Duration) *float64 {
	value := milliseconds(limit)
	return &value
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// level is a figure that is what it is at the time of the sample.
func level(value func(*snapshot) int) func(_, now *snapshot) float64 {
	return func(_, now *snapshot) float64 { return float64(value(now)) }
}

// rate is how much a counter has grown a second since the sample before. A counter that started again at zero, as the pool's do with
// each pool, has no rate then.
func rate(counter func(*snapshot) float64) func(before, now *snapshot) float64 {
	return func(before, now *snapshot) float64 {
		grown, seconds := counter(now)-counter(before), now.at.Sub(before.at).Seconds()
		if seconds <= 0 || grown < 0 {
			return math.NaN()
		}
		return grown / seconds
	}
}

// each is how much of one counter there was for each of another since the sample before.
func each(sum, count func(*snapshot) float64) func(before, now *snapshot) float64 {
	return func(before, now *snapshot) float64 {
		grown, counted := sum(now)-sum(before), count(now)-count(before)
		if counted <= 0 || grown < 0 {
			return math.NaN()
		}
		return grown / counted
	}
}
