package readings_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth/authtest"
	"telltale/modules/readings"
	"telltale/modules/readings/history"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

// Each format says a time in its own way; what may be stored, and what the refusal is, does not depend on that.
func TestTimes_ThatNoAnswerWouldShowAreRefusedInEveryFormat(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t), func(limits *config.Readings) { limits.RetentionDays, limits.MaxAheadDays = 30, 400 })
	a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
	for _, id := range []string{"short", "archive"} { // which have no series yet
		_, err := e.DB.Exec(t.Context(), `INSERT INTO devices (id, retention_days) VALUES ($1, $2)`, id, map[string]int{"short": 2, "archive": 0}[id])
		require.NoError(t, err)
	}
	now := time.Now()
	formats := []struct{ path, contentType, body string }{
		{"/api/readings", "application/json", `{"readings":[{"device":"%[1]s","ts":%[2]d,"values":{"m":1}}]}`},
		{"/api/readings", "application/x-ndjson", `{"device":"%[1]s","metric":"m","ts":%[2]d,"value":1}` + "\n"},
		{"/api/readings", "text/csv", "device,ts,m\n%[1]s,%[2]d,1\n"},
		{"/api/v2/write?precision=ms", "text/plain", "m,host=%[1]s value=1 %[2]d\n"},
		{"/write?precision=ms", "text/plain", "m,host=%[1]s value=1 %[2]d\n"},
	}
	for again := range 2 { // before and after there are series
		for _, c := range []struct {
			device string
			days   int
			reason string
		}{
			{"plain", 0, ""},
			{"plain", -29, ""},
			{"plain", -31, "READINGS_RETENTION_DAYS"},
			{"plain", 399, ""},
			{"plain", 401, "READINGS_MAX_AHEAD_DAYS"},
			{"plain", 27000, "READINGS_MAX_AHEAD_DAYS"},
			{"short", -1, ""},
			{"short", -3, "older than the 2 days"},
			{"archive", -3000, ""},
			{"archive", 401, "READINGS_MAX_AHEAD_DAYS"},
		} {
			for k, format := range formats {
				body := fmt.Sprintf(format.body, c.device, now.AddDate(0, 0, c.days).UnixMilli())
				status, _, answer := a.call(t, "POST", format.path, format.contentType, []byte(body))
				if c.reason == "" {
					require.Contains(t, []int{200, 204}, status, answer)
					continue
				}
				require.Equal(t, 422, status, "round %d, format %d, %+v: %s", again, k, c, answer)
				require.Contains(t, answer, c.reason)
			}
		}
	}
	points := e.Answer(t, history.Query{}).Rows
	require.Len(t, points["plain/m"], 3)
	require.Len(t, points["short/m"], 1)
	require.Len(t, points["archive/m"], 1)
}

func TestTimes_ThatAreRefusedLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t), func(limits *config.Readings) { limits.RetentionDays, limits.MaxAheadDays = 30, 400 })
	a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
	now := time.Now()
	body := fmt.Appendf(nil, `{"readings":[{"device":"old","ts":%d,"values":{"m":1}},{"device":"new","ts":%d,"values":{"m":2}}]}`,
		now.AddDate(0, 0, -40).UnixMilli(), now.UnixMilli())
	status, _, answer := a.call(t, "POST", "/api/readings", "application/json", body)
	require.Equal(t, 422, status, answer)
	require.Contains(t, answer, "readings[0].ts")
	require.Zero(t, e.Registry.Size(), "nothing is registered either")
	status, _, answer = a.call(t, "POST", "/api/readings?on_error=skip", "application/json", body)
	require.Equal(t, 200, status, answer)
	require.Contains(t, answer, `"accepted":1`)
	require.Contains(t, answer, `"rejected_count":1`)
	require.Equal(t, map[string][][]float64{"new/m": {{float64(now.UnixMilli()), 2}}}, e.Answer(t, history.Query{}).Rows)

	e.retain(t, "new", 1) // is followed at once
	status, _, answer = a.call(t, "POST", "/api/readings", "application/json",
		fmt.Appendf(nil, `{"readings":[{"device":"new","ts":%d,"values":{"m":2}}]}`, now.AddDate(0, 0, -2).UnixMilli()))
	require.Equal(t, 422, status, answer)
	require.Contains(t, answer, "older than the 1 days")
}
