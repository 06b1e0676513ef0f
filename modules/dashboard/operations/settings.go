package operations

import (
	"math"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"telltale/config"
)

// Setting is an environment variable that changes a figure or its limit.
type Setting struct {
	Name string `json:"name"`
	// Value is the one that is used, as the variable has it; "" for none.
	Value   string `json:"value"`
	Meaning string `json:"meaning"`
}

// settings returns the variables that figures name, as they are explained elsewhere.
func settings(l Limits) []Setting {
	values := values(l)
	var list []Setting
	for _, variable := range config.Variables() {
		if value, named := values[variable.Name]; named {
			list = append(list, Setting{variable.Name, value, variable.Meaning})
		}
	}
	memory := ""
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		memory = strconv.FormatInt(limit, 10)
	}
	return append(list,
		Setting{"GOMAXPROCS", strconv.Itoa(runtime.GOMAXPROCS(0)), "Processors that the program uses at once."},
		Setting{"GOMEMLIMIT", memory, "Memory that the program tries to keep to, such as 2GiB; unset, it knows no limit."},
	)
}

// values are those of Telltale's own variables.
func values(l Limits) map[string]string {
	return map[string]string{
		"DB_MIN_CONNECTIONS":         strconv.Itoa(l.DB.MinConnections),
		"DB_MAX_CONNECTIONS":         strconv.Itoa(l.DB.MaxConnections),
		"DB_CONNECTION_TIMEOUT_SECS": seconds(l.DB.ConnectionTimeout),
		"DB_STATEMENT_TIMEOUT_SECS":  seconds(l.DB.StatementTimeout),
		"READINGS_MAX_QUEUED":        strconv.Itoa(l.Readings.MaxQueuedReadings),
		"READINGS_MAX_UNFOLDED":      strconv.Itoa(l.Readings.MaxUnfoldedReadings),
		"MAX_SERIES":                 strconv.Itoa(l.Readings.MaxSeries),
		"FOLD_READINGS":              strconv.Itoa(l.Readings.FoldReadings),
		"FOLD_INTERVAL_SECS":         seconds(l.Readings.FoldInterval),
		"WINDOW_BYTES":               strconv.Itoa(l.Readings.WindowBytes),
		"READINGS_RETENTION_DAYS":    strconv.Itoa(l.Readings.RetentionDays),
		"QUERY_TIMEOUT_SECS":         seconds(l.Readings.QueryTimeout),
		"STREAM_MAX_PER_USER":        strconv.Itoa(l.Streaming.MaxPerUser),
		"STREAM_WRITE_TIMEOUT_SECS":  seconds(l.Streaming.WriteTimeout),
	}
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
