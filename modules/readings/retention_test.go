package readings

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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
	months := oidsOf(monthsOnDisk(t, db))
	require.NoError(t, e.folder.enforceRetention(t.Context()))
	require.Equal(t, months, oidsOf(monthsOnDisk(t, db)))
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
	var days int
	require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM reading_days`).Scan(&days))
	require.Zero(t, days)
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

func TestDeletingDevicesGivesTheDiskBackBeforeTheMonthIsOver(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err := db.Exec(t.Context(), updateClosed, first)
	require.NoError(t, err)
	now := first.AddDate(0, 0, 20)
	e.folder.now = func() time.Time { return now }
	fillMonths(t, e, first, 1, 4)
	require.NoError(t, e.folder.closeDays(t.Context()))
	whole := diskOf(t, db)
	require.NoError(t, e.Drop(t.Context(), "device-0"))
	e.fold(t)
	require.NoError(t, e.folder.enforceRetention(t.Context()))
	require.GreaterOrEqual(t, diskOf(t, db), whole, "what is free will be used again")
	require.NoError(t, e.Drop(t.Context(), "device-1"))
	require.NoError(t, e.Drop(t.Context(), "device-2"))
	e.fold(t)
	before := e.history(t, Query{})
	require.NoError(t, e.folder.enforceRetention(t.Context()))
	require.Less(t, diskOf(t, db), whole/2)
	require.Equal(t, before.points, e.history(t, Query{}).points)
}

// sizeOfDatabase returns the bytes that the database takes on disk.
func sizeOfDatabase(t testing.TB, db *postgres.DB) (size int64) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), `SELECT pg_database_size(current_database())`).Scan(&size))
	return size
}

// useBlocks replaces the empty log's block by others.
func useBlocks(t testing.TB, db *postgres.DB, blocks ...block) {
	t.Helper()
	require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `DROP TABLE reading_log_1`); err != nil {
			return err
		}
		for _, b := range blocks {
			if err := attachBlock(t.Context(), tx, b); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestTheBlocksOfTheLogThatAreDroppedGiveTheDiskBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	useBlocks(t, db, block{First: 1, End: 8}, block{First: 8, End: 100})
	e := startEngine(t, db)
	e.post(t, `{"readings":[{"device":"a","ts":0,"values":{"m":1}}]}`)
	id, ok := e.registry.Find("a", "m")
	require.True(t, ok)
	before := sizeOfDatabase(t, db)
	const readings = 50_000
	for batch := range int64(6) {
		b := Batch{Series: make([]int32, readings), TS: make([]int64, readings), Value: make([]float64, readings)}
		for i := range b.Series {
			b.Series[i], b.TS[i] = id, int64(i)*hour+batch
		}
		_, err := e.appender.Append(t.Context(), b.Series, b.TS, b.Value)
		require.NoError(t, err)
	}
	grown := sizeOfDatabase(t, db) - before
	require.Greater(t, grown, int64(6*readings*20))
	// As if they had been folded: only the log's disk is looked at.
	_, err := db.Exec(t.Context(), `UPDATE log_state SET folded_seq = $1`, e.window.Head())
	require.NoError(t, err)
	dropped, err := e.log.DropBlocks(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 1, dropped)
	require.Less(t, sizeOfDatabase(t, db)-before, grown/10)
}

func TestTheRecordOfDroppedBlocksIsBounded(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	const rows = 3 * keepDropped
	_, err := db.Exec(t.Context(), `
		INSERT INTO log_blocks_dropped SELECT n, n, 1000 + n, CASE WHEN n % 2 = 0 THEN 2000 + n END FROM generate_series(1, $1::int) AS n`, rows)
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), `UPDATE log_blocks_dropped SET min_ts = NULL WHERE max_ts IS NULL`)
	require.NoError(t, err)
	before, _, err := e.log.Missing(t.Context(), rows-10)
	require.NoError(t, err)
	// Until some are dropped in addition, the record stays as it is; then all but the newest become one.
	useBlocks(t, db, block{First: rows + 1, End: rows + 6}, block{First: rows + 6, End: rows + 11})
	_, err = db.Exec(t.Context(), `UPDATE log_state SET folded_seq = $1`, rows+10)
	require.NoError(t, err)
	dropped, err := e.log.DropBlocks(t.Context(), time.Now())
	require.NoError(t, err)
	require.Equal(t, 2, dropped)
	var n int
	require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM log_blocks_dropped`).Scan(&n))
	require.Equal(t, keepDropped+1, n)

	missing, ok, err := e.log.Missing(t.Context(), 0)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, Missing{FirstSeq: 1, LastSeq: rows + 10, MinTS: 1002, MaxTS: 2000 + rows}, missing)
	after, _, err := e.log.Missing(t.Context(), rows-10)
	require.NoError(t, err)
	before.LastSeq += 10
	require.Equal(t, before, after, "what is missing of late is known as before")
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
