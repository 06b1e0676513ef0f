package readings_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth/authtest"
	"telltale/modules/devices"
	"telltale/modules/readings"
	"telltale/modules/readings/history"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// retain changes a device's retention as a PATCH does.
func (e *engine) retain(t testing.TB, device string, days int) {
	t.Helper()
	service := devices.NewService(e.DB, e.Registry, e.Service)
	_, err := service.Update(t.Context(), everyone, device, devices.Patch{RetentionDays: &days})
	require.NoError(t, err)
}

// startAged starts an engine on the 28th of a month whose devices have a noisy reading a minute since the 1st.
func startAged(t testing.TB, db *postgres.DB, general, names int) (e *engine, first time.Time) {
	t.Helper()
	e = startEngine(t, db, func(limits *config.Readings) { limits.RetentionDays = general })
	first = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	_, err := db.Exec(t.Context(), setClosed, first)
	require.NoError(t, err)
	e.SetNow(func() time.Time { return first.AddDate(0, 0, 27) })
	fillMonths(t, e, first, 1, names)
	return e, first
}

func TestRetention_GivesTheDiskBackWhenAFoldIsAskedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		general int
		change  func(t *testing.T, e *engine)
		left    float64 // of the disk, at most
	}{
		"general":              {change: func(_ *testing.T, e *engine) { e.KeepDays(2) }, left: 0.3},
		"of a device":          {change: func(t *testing.T, e *engine) { e.retain(t, "device-1", 1) }, left: 0.7},
		"of every device":      {change: func(t *testing.T, e *engine) { e.retain(t, "device-0", 1); e.retain(t, "device-1", 1) }, left: 0.3},
		"shorter than general": {general: 100, change: func(t *testing.T, e *engine) { e.retain(t, "device-1", 3) }, left: 0.7},
		"of months":            {change: func(_ *testing.T, e *engine) { e.KeepDays(1); e.forward(t, 60) }, left: 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			e, _ := startAged(t, db, c.general, 2)
			a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
			whole := diskOf(t, db)
			c.change(t, e)
			shown := e.Answer(t, history.Query{}).Rows
			status, _, answer := a.call(t, "POST", "/api/readings/fold", "", nil)
			require.Equal(t, 200, status, answer)
			require.LessOrEqual(t, float64(diskOf(t, db)), c.left*float64(whole))
			require.Equal(t, shown, e.Answer(t, history.Query{}).Rows, "what is kept must not change")
		})
	}
}

// forward moves the fold's clock on by the given number of days.
func (e *engine) forward(t testing.TB, days int) {
	t.Helper()
	now := e.Now().AddDate(0, 0, days)
	e.SetNow(func() time.Time { return now })
}

// A program that starts with another setting, and a change of a device, are acted on by the folder itself, without a fold.
func TestRetention_IsActedOnSoonAfterItHasChanged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after func(t *testing.T, e *engine)
		left          float64
	}{
		"general, at the next start": {before: func(_ *testing.T, e *engine) { e.KeepDays(2) }, left: 0.3},
		"of a device":                {after: func(t *testing.T, e *engine) { e.retain(t, "device-1", 1) }, left: 0.7},
		"of a device, elsewhere": {after: func(t *testing.T, e *engine) {
			_, err := e.DB.Exec(t.Context(), `UPDATE devices SET retention_days = 1 WHERE id = 'device-1'`)
			require.NoError(t, err)
			require.NoError(t, e.Registry.Load(t.Context())) // as the tail does each minute
		}, left: 0.7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			e, _ := startAged(t, db, 0, 2)
			whole := float64(diskOf(t, db))
			if c.before != nil {
				c.before(t, e)
			}
			require.NoError(t, e.Runner.Start(t.Context()))
			defer func() { require.NoError(t, e.Runner.Stop(t.Context())) }()
			if c.after != nil {
				c.after(t, e)
			}
			require.Eventually(t, func() bool { return float64(diskOf(t, db)) <= c.left*whole }, time.Minute, 10*time.Millisecond)
		})
	}
}

func TestRetention_IsFollowedByTheFolderThatRuns(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e, _ := startAged(t, db, 0, 2)
	whole := float64(diskOf(t, db))
	require.NoError(t, e.Runner.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, e.Runner.Stop(t.Context())) })
	e.retain(t, "device-0", 1)
	require.Eventually(t, func() bool { return float64(diskOf(t, db)) < 0.7*whole }, time.Minute, 10*time.Millisecond)
}
