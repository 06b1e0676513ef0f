package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/auth/bootstrap"
	"telltale/modules/auth/keys"
	"telltale/modules/devices"
	"telltale/modules/readings"
	"telltale/modules/schema"
	"telltale/modules/series"
	"telltale/platform/httpapp"
	"telltale/platform/httpserver"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
	"telltale/platform/retry"
)

// program starts Telltale on an empty database of its own and returns where it serves, and its API keys.
func program(t *testing.T) (address string, keys *keys.Service) {
	t.Helper()
	cfg := config.Config{
		DB: pgtest.Config(t), DataDir: t.TempDir(),
		HTTP: config.HTTP{Host: "127.0.0.1", MaxBodyBytes: 16 << 20},
		Auth: config.Auth{
			SecretKey: "a secret of the tests, long enough", Algorithm: "HS256", TokenLifetime: time.Minute,
			AdminUsername: "admin", AdminPassword: "a password of the tests",
		},
		Readings: config.Readings{
			MaxQueuedReadings: 1 << 20, MaxSeries: 1 << 20, MaxUnfoldedReadings: 1 << 22, FoldReadings: 1 << 17, FoldInterval: time.Hour,
			WindowBytes: 1 << 22, LogRetention: time.Hour, QueryTimeout: time.Minute, QueryMaxPoints: 1_000_000,
		},
	}
	var server *httpserver.Server
	app := fxtest.New(t, fx.NopLogger, fx.Supply(cfg),
		fx.Provide(
			func() *zap.Logger { return zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)) },
			func() bootstrap.Announce { return func(string, string) {} },
		),
		config.Module, fx.Provide(schema.New), postgres.Module, httpapp.Module, auth.Module, series.Module, devices.Module, readings.Module,
		fx.Populate(&server, &keys),
	)
	app.RequireStart()
	t.Cleanup(app.RequireStop)
	return baseURL(server.Addr()), keys
}

// simulate starts a simulator with a quarter of an hour of history, and returns once it has posted live readings, with
// what it has printed.
func simulate(t *testing.T, address string, keys *keys.Service) (s *Simulator, printed string) {
	t.Helper()
	var out bytes.Buffer
	s = New(func() string { return address }, keys, &out, zaptest.NewLogger(t))
	s.history = 15 * time.Minute
	played := make(chan string)
	s.api.pause = func(ctx context.Context, wait time.Duration) error {
		if s.visitor.id != "" { // it plays
			select {
			case played <- out.String():
			case <-ctx.Done():
			}
		}
		return retry.Pause(ctx, wait)
	}
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	for range 3 {
		select {
		case printed = <-played:
		case <-time.After(5 * time.Minute):
			require.FailNow(t, "the demo does not play")
		}
	}
	return s, printed
}

// point is a reading as history has it: Unix ms and value.
type point [2]float64

// history asks for all readings of one sensor, with the key that was printed.
func pointsOf(t *testing.T, address, printed, device, metric string) (points []point) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/api/readings?"+url.Values{
		"device": {device}, "metric": {metric}, "from": {"-1d"}, "to": {time.Now().Add(time.Minute).Format(time.RFC3339)},
	}.Encode(), http.NoBody)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+regexp.MustCompile(`KEY=(\S+)`).FindStringSubmatch(printed)[1])
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer http.DefaultClient.CloseIdleConnections()
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, http.StatusOK, response.StatusCode)
	var answer struct {
		Series []struct {
			Unit   string
			Points []point
		}
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.Len(t, answer.Series, 1)
	require.Equal(t, "°C", answer.Series[0].Unit)
	return answer.Series[0].Points
}

// wrote returns how many values of history were written, by what was printed.
func wrote(t *testing.T, printed string) (values int) {
	t.Helper()
	if found := regexp.MustCompile(`Wrote (\d+) values`).FindStringSubmatch(printed); found != nil {
		var err error
		values, err = strconv.Atoi(found[1])
		require.NoError(t, err)
	}
	return values
}

func TestDemo_ShowsItsHistoryOnARealServer(t *testing.T) {
	t.Parallel()
	address, keys := program(t)
	began := time.Now()
	first, printed := simulate(t, address, keys)
	require.Regexp(t, `Wrote 3\d{4} values of history`, printed)
	all := wrote(t, printed)
	sensor := sensorOf(t, "greenhouse-01", "temperature")
	points := pointsOf(t, address, printed, "greenhouse-01", "temperature")
	start := func(now time.Time) int64 { return now.Add(-15 * time.Minute).Truncate(step).UnixMilli() }
	require.GreaterOrEqual(t, int64(points[0][0]), start(began))
	require.LessOrEqual(t, int64(points[0][0]), start(time.Now()))
	for i, p := range points {
		require.Equal(t, sensor.read(int64(p[0])), p[1])
		require.True(t, i == 0 || p[0]-points[i-1][0] <= float64(step.Milliseconds()), "a gap before %v", p[0])
	}
	require.NoError(t, first.Stop(t.Context()))

	_, printed = simulate(t, address, keys)
	missing := time.Since(time.UnixMilli(int64(points[len(points)-1][0]))) + 2*step // at the most: a device may have been about to post
	require.LessOrEqual(t, wrote(t, printed), all*int(missing/step)/int(15*time.Minute/step), "only what is missing is written")
	more := pointsOf(t, address, printed, "greenhouse-01", "temperature")
	require.Equal(t, points, more[:len(points)])
	require.Greater(t, len(more), len(points))
}
