package readings_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
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
		e.Post(t, `{"readings":[{"device":"device-%d","ts":%d,"values":{"m":1}}]}`, device, first.UnixMilli())
		id, ok := e.Registry.Find(fmt.Sprint("device-", device), "m")
		require.True(t, ok)
		var series []int32
		var ts []int64
		var value []float64
		for at := first.UnixMilli(); at < first.AddDate(0, months, 0).UnixMilli(); at += chunk.Minute {
			series, ts, value = append(series, id), append(ts, at), append(value, random.NormFloat64())
		}
		_, err := e.Appender.Append(t.Context(), series, ts, value)
		require.NoError(t, err)
		e.FoldAll(t)
	}
}

func TestRetention_HidesAtOnceAndGivesTheDiskBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db, func(limits *config.Readings) { limits.RetentionDays = 40 })
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := first
	e.SetNow(func() time.Time { return now })
	require.NoError(t, e.Runner.Maintain(t.Context())) // which knows the setting from now on
	fillMonths(t, e, first, 3, 2)
	whole := diskOf(t, db)
	count := func(device string) int {
		return len(e.Answer(t, history.Query{Selection: history.Selection{Devices: []string{device}}}).Rows[device+"/m"])
	}
	require.Equal(t, 90*24*60, count("device-0"))

	// Half of a month is past its retention: no answer shows it, nothing is dropped.
	now = time.Date(2026, 2, 25, 0, 0, 0, 0, time.UTC)
	require.Equal(t, (90-15)*24*60, count("device-0"))
	months := oidsOf(monthsOnDisk(t, db))
	require.NoError(t, e.Runner.Maintain(t.Context()))
	require.Equal(t, months, oidsOf(monthsOnDisk(t, db)))
	require.Equal(t, whole, diskOf(t, db))

	// A month is past it, but one device keeps its readings longer: the other's chunks are deleted, the partition rewritten.
	_, err := db.Exec(t.Context(), `UPDATE devices SET retention_days = 80 WHERE id = 'device-1'`)
	require.NoError(t, err)
	require.NoError(t, e.Registry.Load(t.Context()))
	now = time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
	require.NoError(t, e.Runner.Maintain(t.Context()))
	require.Equal(t, (90-38)*24*60, count("device-0"))
	require.Equal(t, 90*24*60, count("device-1"))
	half := diskOf(t, db)
	require.Less(t, half, whole*9/10, "the partition must be smaller on disk")

	now = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	require.NoError(t, e.Runner.Maintain(t.Context()))
	require.Zero(t, count("device-1")+count("device-0"))
	require.Zero(t, diskOf(t, db))
	var days int
	require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM reading_days`).Scan(&days))
	require.Zero(t, days)
	states, err := e.Queries.Latest(t.Context(), everyone, history.Selection{})
	require.NoError(t, err)
	require.Empty(t, states)
}

func TestDeletion_OfADeviceGivesTheDiskBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	fillMonths(t, e, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 2, 3)
	whole, before := diskOf(t, db), e.Answer(t, history.Query{Selection: history.Selection{Devices: []string{"device-2"}}})
	require.NoError(t, e.DeleteDevice(t.Context(), "device-0"))
	require.NoError(t, e.DeleteDevice(t.Context(), "device-1"))
	e.FoldAll(t)
	require.NoError(t, e.Runner.Maintain(t.Context()))
	require.Less(t, diskOf(t, db), whole/2)
	require.Equal(t, before.Rows, e.Answer(t, history.Query{}).Rows)
}

func TestDeletion_OfDevicesGivesTheDiskBackBeforeTheMonthIsOver(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err := db.Exec(t.Context(), setClosed, first)
	require.NoError(t, err)
	now := first.AddDate(0, 0, 20)
	e.SetNow(func() time.Time { return now })
	fillMonths(t, e, first, 1, 4)
	require.NoError(t, e.Runner.CloseDays(t.Context()))
	whole := diskOf(t, db)
	require.NoError(t, e.DeleteDevice(t.Context(), "device-0"))
	e.FoldAll(t)
	require.NoError(t, e.Runner.Maintain(t.Context()))
	require.GreaterOrEqual(t, diskOf(t, db), whole, "what is free will be used again")
	require.NoError(t, e.DeleteDevice(t.Context(), "device-1"))
	require.NoError(t, e.DeleteDevice(t.Context(), "device-2"))
	e.FoldAll(t)
	before := e.Answer(t, history.Query{})
	require.NoError(t, e.Runner.Maintain(t.Context()))
	require.Less(t, diskOf(t, db), whole/2)
	require.Equal(t, before.Rows, e.Answer(t, history.Query{}).Rows)
}

// sizeOfDatabase returns the bytes that the database takes on disk.
func sizeOfDatabase(t testing.TB, db *postgres.DB) (size int64) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), `SELECT pg_database_size(current_database())`).Scan(&size))
	return size
}

// useBlocks replaces the empty log's block by others, each of the seqs from one to before another.
func useBlocks(t testing.TB, db *postgres.DB, blocks ...[2]int64) {
	t.Helper()
	_, err := db.Exec(t.Context(), `DROP TABLE reading_log_1`)
	require.NoError(t, err)
	for _, b := range blocks {
		table := fmt.Sprintf("reading_log_%d", b[0])
		_, err := db.Exec(t.Context(), `CREATE TABLE `+table+` (LIKE reading_log INCLUDING ALL)`)
		require.NoError(t, err)
		_, err = db.Exec(t.Context(), fmt.Sprintf(`ALTER TABLE reading_log ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)`, table, b[0], b[1]))
		require.NoError(t, err)
	}
}

func TestLog_DroppedBlocksGiveTheDiskBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	useBlocks(t, db, [2]int64{1, 8}, [2]int64{8, 100})
	e := startEngine(t, db)
	e.Post(t, `{"readings":[{"device":"a","ts":0,"values":{"m":1}}]}`)
	id, ok := e.Registry.Find("a", "m")
	require.True(t, ok)
	before := sizeOfDatabase(t, db)
	random := rand.New(rand.NewPCG(1, 1)) // numbers that take eight bytes
	const readings = 50_000
	for batch := range int64(6) {
		b := batchlog.Batch{Series: make([]int32, readings), TS: make([]int64, readings), Value: make([]float64, readings)}
		for i := range b.Series {
			b.Series[i], b.TS[i], b.Value[i] = id, int64(i)*chunk.Hour+batch, random.Float64()
		}
		_, err := e.Appender.Append(t.Context(), b.Series, b.TS, b.Value)
		require.NoError(t, err)
	}
	grown := sizeOfDatabase(t, db) - before
	require.Greater(t, grown, int64(6*readings*8))
	// As if they had been folded: only the log's disk is looked at.
	_, err := db.Exec(t.Context(), `UPDATE log_state SET folded_seq = $1`, e.Window.Head())
	require.NoError(t, err)
	dropped, err := e.Log.DropBlocks(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 1, dropped)
	require.Less(t, sizeOfDatabase(t, db)-before, grown/10)
}

func TestLog_RecordOfDroppedBlocksIsBounded(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	const keepDropped = 1000
	const rows = 3 * keepDropped
	_, err := db.Exec(t.Context(), `
		INSERT INTO log_blocks_dropped SELECT n, n, 1000 + n, CASE WHEN n % 2 = 0 THEN 2000 + n END, 'epoch'::timestamptz + n * interval '1 microsecond' FROM generate_series(1, $1::int) AS n`, rows)
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), `UPDATE log_blocks_dropped SET min_ts = NULL WHERE max_ts IS NULL`)
	require.NoError(t, err)
	before, _, err := e.Log.Missing(t.Context(), rows-10)
	require.NoError(t, err)
	// Until some are dropped in addition, the record stays as it is; then all but the newest become one.
	useBlocks(t, db, [2]int64{rows + 1, rows + 6}, [2]int64{rows + 6, rows + 11})
	_, err = db.Exec(t.Context(), `UPDATE log_state SET folded_seq = $1`, rows+10)
	require.NoError(t, err)
	dropped, err := e.Log.DropBlocks(t.Context(), time.Now())
	require.NoError(t, err)
	require.Equal(t, 2, dropped)
	var n int
	require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM log_blocks_dropped`).Scan(&n))
	require.Equal(t, keepDropped+1, n)

	missing, ok, err := e.Log.Missing(t.Context(), 0)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, batchlog.Missing{FirstStamp: 1, LastStamp: rows, MinTS: 1002, MaxTS: 2000 + rows}, missing)
	after, _, err := e.Log.Missing(t.Context(), rows-10)
	require.NoError(t, err)
	require.Equal(t, before, after, "what is missing of late is known as before")
}

// What a client has been told may be past its retention: then it must not be told that nothing has changed.
func TestRetention_ThatCutsAnAnswerMakesItAnotherVersion(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t), func(limits *config.Readings) { limits.RetentionDays = 2 })
	now := time.UnixMilli(2 * chunk.Day)
	e.SetNow(func() time.Time { return now })
	e.Post(t, `{"readings":[{"device":"a","ts":3600000,"values":{"m":1}},{"device":"a","ts":7200000,"values":{"m":2}}]}`)
	e.FoldAll(t)
	query := history.Query{From: chunk.Hour, To: chunk.Day, Versioned: true}
	whole := e.Answer(t, query)
	require.Len(t, whole.Rows["a/m"], 2)
	require.Equal(t, whole.Version, e.Answer(t, query).Version)
	now = now.Add(90 * time.Minute)
	cut := e.Answer(t, query)
	require.Len(t, cut.Rows["a/m"], 1)
	require.NotEqual(t, whole.Version, cut.Version)
}
