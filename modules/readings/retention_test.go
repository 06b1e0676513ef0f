package readings

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// diskOf returns the bytes that chunks take on disk, indexes and free space included.
func diskOf(t testing.TB, db *postgres.DB) (size int64) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), `
		SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)::bigint FROM pg_inherits
		WHERE inhparent = 'reading_chunks'::regclass`).Scan(&size))
	return size
}

// fillMonths stores a noisy reading a minute of each device over the months, and folds.
func fillMonths(t testing.TB, e *engine, first time.Time, months, names int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for device := range names {
		e.post(t, `{"readings":[{"device":"device-%d","ts":%d,"values":{"m":1}}]}`, device, first.UnixMilli())
		id, ok := e.registry.Find(fmt.Sprint("device-", device), "m")
		require.True(t, ok)
		var series []int32
		var ts []int64
		var value []float64
		for at := first.UnixMilli(); at < first.AddDate(0, months, 0).UnixMilli(); at += minute {
			series, ts, value = append(series, id), append(ts, at), append(value, random.NormFloat64())
		}
		_, err := e.appender.Append(t.Context(), series, ts, value)
		require.NoError(t, err)
		e.fold(t)
	}
}

func TestRetentionHidesAtOnceAndGivesTheDiskBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db, func(limits *config.Readings) { limits.RetentionDays = 40 })
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := first
	e.folder.now = func() time.Time { return now }
	fillMonths(t, e, first, 3, 2)
	whole := diskOf(t, db)
	count := func(device string) int {
		return len(e.history(t, Query{Selection: Selection{Devices: []string{device}}}).points[device+"/m"])
	}
	require.Equal(t, 90*24*60, count("device-0"))

	// Half of a month is past its retention: no answer shows it, nothing is dropped.
	now = time.Date(2026, 2, 25, 0, 0, 0, 0, time.UTC)
	require.Equal(t, (90-15)*24*60, count("device-0"))
	require.NoError(t, e.folder.enforceRetention(t.Context()))
	require.Equal(t, whole, diskOf(t, db))

	// A month is past it, but one device keeps its readings longer: the other's chunks are deleted, the partition rewritten.
	_, err := db.Exec(t.Context(), `UPDATE devices SET retention_days = 80 WHERE id = 'device-1'`)
	require.NoError(t, err)
	require.NoError(t, e.registry.Load(t.Context()))
	now = time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
	require.NoError(t, e.folder.enforceRetention(t.Context()))
	require.Equal(t, (90-38)*24*60, count("device-0"))
	require.Equal(t, 90*24*60, count("device-1"))
	half := diskOf(t, db)
	require.Less(t, half, whole*9/10, "the partition must be smaller on disk")

	// Late readings past the retention are taken and forgotten.
	e.post(t, `{"readings":[{"device":"device-0","ts":%d,"values":{"m":1}}]}`, first.UnixMilli())
	e.fold(t)
	require.Equal(t, (90-38)*24*60, count("device-0"))
	now = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	require.NoError(t, e.folder.enforceRetention(t.Context()))
	require.Zero(t, count("device-1")+count("device-0"))
	require.Zero(t, diskOf(t, db))
	states, err := e.Latest(t.Context(), everyone, Selection{})
	require.NoError(t, err)
	require.Empty(t, states)
}

func TestDeletingADeviceGivesTheDiskBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	fillMonths(t, e, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 2, 3)
	whole, before := diskOf(t, db), e.history(t, Query{Selection: Selection{Devices: []string{"device-2"}}})
	require.NoError(t, e.Drop(t.Context(), "device-0"))
	require.NoError(t, e.Drop(t.Context(), "device-1"))
	e.fold(t)
	require.NoError(t, e.folder.enforceRetention(t.Context()))
	require.Less(t, diskOf(t, db), whole/2)
	require.Equal(t, before.points, e.history(t, Query{}).points)
}

// What a client has been told may be past its retention: then it must not be told that nothing has changed.
func TestAnAnswerThatRetentionHasCutIsAnotherVersion(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t), func(limits *config.Readings) { limits.RetentionDays = 2 })
	now := time.UnixMilli(2 * day)
	e.folder.now = func() time.Time { return now }
	e.post(t, `{"readings":[{"device":"a","ts":3600000,"values":{"m":1}},{"device":"a","ts":7200000,"values":{"m":2}}]}`)
	e.fold(t)
	query := Query{From: hour, To: day, Versioned: true}
	whole := e.history(t, query)
	require.Len(t, whole.points["a/m"], 2)
	require.Equal(t, whole.version, e.history(t, query).version)
	now = now.Add(90 * time.Minute)
	cut := e.history(t, query)
	require.Len(t, cut.points["a/m"], 1)
	require.NotEqual(t, whole.version, cut.version)
}
