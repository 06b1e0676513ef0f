package readings_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/deletion"
	"telltale/modules/readings/history"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// aged is an engine with hourly readings of some devices in the years 2023 and 2024, in February 2025.
type aged struct {
	*engine
	now time.Time
}

func startYears(t testing.TB, db *postgres.DB, devices int, change ...func(*config.Readings)) *aged {
	t.Helper()
	a := &aged{startEngine(t, db, change...), time.Date(2025, 2, 2, 0, 0, 0, 0, time.UTC)}
	a.SetNow(func() time.Time { return a.now })
	fillYears(t, a.engine, devices, time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))
	return a
}

// upkeep closes the days that are over and maintains.
func (a *aged) upkeep(t testing.TB) {
	t.Helper()
	require.NoError(t, a.Runner.CloseDays(t.Context()))
	require.NoError(t, a.Runner.Maintain(t.Context()))
}

// answers are those to several kinds of queries about everything.
func (a *aged) answers(t testing.TB) (all []map[string][][]float64) {
	t.Helper()
	from, to := time.Date(2023, 4, 17, 5, 30, 0, 0, time.UTC).UnixMilli(), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	aggregates := []bucket.Aggregate{bucket.Count, bucket.Min, bucket.Max, bucket.First, bucket.Last}
	for _, interval := range []string{"", "1h", "1d", "1mo", "1y"} {
		q := history.Query{From: from, To: to, Zone: time.UTC}
		if interval != "" {
			parsed, err := bucket.ParseInterval(interval)
			require.NoError(t, err)
			q.Interval, q.Aggregates = &parsed, aggregates
		}
		all = append(all, a.Answer(t, history.Query{}).Rows, a.Answer(t, q).Rows)
	}
	return all
}

func namesOf(months []monthOnDisk) (names []string) {
	for _, m := range months {
		names = append(names, m.Name)
	}
	return names
}

func TestYears_OfSmallMonthsBecomeOnePartitionOnceTheyAreOver(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := startYears(t, db, 3)
	before, monthly := a.answers(t), diskOf(t, db)
	a.now = time.Date(2025, 1, 31, 0, 0, 0, 0, time.UTC)
	a.upkeep(t)
	names := namesOf(monthsOnDisk(t, db))
	require.Equal(t, "reading_chunks_2023", names[0])
	require.Equal(t, "reading_chunks_2024_01", names[1])
	require.Len(t, names, 13, "it is too early for the second year")
	require.Equal(t, before, a.answers(t))

	// A late reading keeps the second year as it is for an hour.
	a.now = time.Date(2025, 2, 2, 2, 0, 0, 0, time.UTC)
	a.Post(t, `{"readings":[{"device":"device-000","ts":%d,"values":{"m":1000}}]}`, time.Date(2024, 12, 31, 0, 30, 0, 0, time.UTC).UnixMilli())
	a.FoldAll(t)
	before = a.answers(t)
	a.upkeep(t)
	require.Contains(t, namesOf(monthsOnDisk(t, db)), "reading_chunks_2024_12")
	a.now = a.now.Add(time.Hour)
	a.upkeep(t)
	names = namesOf(monthsOnDisk(t, db))
	require.Equal(t, []string{"reading_chunks_2023", "reading_chunks_2024", "reading_chunks_2025_02"}, names)
	require.Equal(t, before, a.answers(t))
	require.Less(t, diskOf(t, db), monthly)
	oids := oidsOf(monthsOnDisk(t, db))
	a.now = a.now.AddDate(0, 1, 0)
	a.upkeep(t)
	require.Equal(t, oids, oidsOf(monthsOnDisk(t, db))[:3], "nothing is written once more")
}

func TestYears_TakeLateReadingsAndCorrections(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := startYears(t, db, 3)
	_, err := db.Exec(t.Context(), `DROP TABLE reading_chunks_2023_06`)
	require.NoError(t, err)
	a.upkeep(t)
	before := monthsOnDisk(t, db)
	january := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	june := time.Date(2023, 6, 15, 0, 0, 0, 0, time.UTC).UnixMilli()
	a.Post(t, `{"readings":[{"device":"device-000","ts":%d,"values":{"m":1}},{"device":"device-000","ts":%d,"values":{"m":2}},{"device":"new","ts":%d,"values":{"m":3}}]}`,
		january, june, june)
	late := a.answers(t)
	a.FoldAll(t)
	require.Equal(t, late, a.answers(t))
	require.Equal(t, []string{"reading_chunks_2023", "reading_chunks_2024", "reading_chunks_2025_02"}, namesOf(monthsOnDisk(t, db))[:3])
	rows := a.Answer(t, history.Query{}).Rows
	require.Equal(t, []float64{float64(january), 1}, rows["device-000/m"][0])
	require.Contains(t, rows["device-000/m"], []float64{float64(june), 2})
	require.Equal(t, [][]float64{{float64(june), 3}}, rows["new/m"])

	// Once much of it has been replaced, and it is at rest, it is written again.
	for month := range 12 {
		for range 12 {
			at := time.Date(2023, time.Month(1+month), 3, 0, 0, 0, 0, time.UTC).UnixMilli()
			for device := range 3 {
				a.Post(t, `{"readings":[{"device":"device-%03d","ts":%d,"values":{"m":5}}]}`, device, at)
			}
			a.FoldAll(t)
		}
	}
	var names []string
	require.NoError(t, db.QueryRow(t.Context(), `SELECT array_agg(partition) FROM reading_space WHERE removed > 0`).Scan(&names))
	require.Equal(t, []string{"reading_chunks_2023"}, names)
	corrected := a.answers(t)
	a.upkeep(t)
	require.Equal(t, before[0].OID, monthsOnDisk(t, db)[0].OID)
	a.now = a.now.Add(time.Hour)
	a.upkeep(t)
	after := monthsOnDisk(t, db)
	require.NotEqual(t, before[0].OID, after[0].OID)
	require.Equal(t, before[1].OID, after[1].OID)
	require.Equal(t, corrected, a.answers(t))
}

func TestYears_LetReadingsBeDeleted(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := startYears(t, db, 12)
	a.upkeep(t)
	from, to := time.Date(2023, 3, 10, 5, 30, 0, 0, time.UTC).UnixMilli(), time.Date(2024, 2, 3, 0, 0, 0, 0, time.UTC).UnixMilli()
	want := a.Answer(t, history.Query{}).Rows
	kept := want["device-001/m"][:0:0]
	for _, row := range want["device-001/m"] {
		if int64(row[0]) < from || int64(row[0]) >= to {
			kept = append(kept, row)
		}
	}
	removed, err := a.Delete(t.Context(), everyone, deletion.Request{Devices: []string{"device-001"}, From: from, To: to})
	require.NoError(t, err)
	require.EqualValues(t, len(want["device-001/m"])-len(kept), removed.Readings)
	want["device-001/m"] = kept
	a.FoldAll(t)
	require.Equal(t, want, a.Answer(t, history.Query{}).Rows)
	for device := range 6 {
		id := fmt.Sprintf("device-%03d", 6+device)
		require.NoError(t, a.DeleteDevice(t.Context(), id))
		delete(want, id+"/m")
	}
	a.FoldAll(t)
	require.Equal(t, want, a.Answer(t, history.Query{}).Rows)
	before := oidsOf(monthsOnDisk(t, db))
	a.upkeep(t)
	require.NotEqual(t, before[0], oidsOf(monthsOnDisk(t, db))[0], "the space of what was deleted is given back")
	require.Equal(t, want, a.Answer(t, history.Query{}).Rows)
}

func TestYears_PastTheirRetentionAreEmptiedByMonthAndDropped(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := startYears(t, db, 12, func(limits *config.Readings) { limits.RetentionDays = 1200 })
	a.upkeep(t)
	before := monthsOnDisk(t, db)
	require.Equal(t, "reading_chunks_2023", before[0].Name)
	_, err := db.Exec(t.Context(), `INSERT INTO reading_days SELECT 1, at, 1, 1, 1, 1, 0, 1, 1
		FROM generate_series('2023-01-01Z'::timestamptz, '2024-12-31Z', '1 day') AS at`)
	require.NoError(t, err)
	count := func(table string) (n int) {
		require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
		return n
	}

	a.now = time.Date(2023, 3, 10, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 1200)
	want := a.Answer(t, history.Query{}).Rows
	a.upkeep(t)
	require.Equal(t, 12*10, count("reading_chunks_2023"), "two months are over")
	require.Equal(t, 731-31-28, count("reading_days"))
	require.Equal(t, want, a.Answer(t, history.Query{}).Rows)
	require.Equal(t, before[0].OID, monthsOnDisk(t, db)[0].OID)

	a.now = time.Date(2023, 9, 10, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 1200)
	want = a.Answer(t, history.Query{}).Rows
	a.upkeep(t)
	require.Equal(t, 12*4, count("reading_chunks_2023"))
	require.NotEqual(t, before[0].OID, monthsOnDisk(t, db)[0].OID, "most of it is free")
	require.Equal(t, want, a.Answer(t, history.Query{}).Rows)

	a.now = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 1200)
	want = a.Answer(t, history.Query{}).Rows
	a.upkeep(t)
	require.Equal(t, "reading_chunks_2024", monthsOnDisk(t, db)[0].Name)
	require.Equal(t, want, a.Answer(t, history.Query{}).Rows)
}

func TestYears_ThatRetentionReachesSoonStayMonths(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := startYears(t, db, 1, func(limits *config.Readings) { limits.RetentionDays = 750 })
	a.upkeep(t)
	names := namesOf(monthsOnDisk(t, db))
	require.Equal(t, "reading_chunks_2023_01", names[0])
	require.Equal(t, "reading_chunks_2024_01", names[12])
	a.KeepDays(800)
	a.upkeep(t)
	names = namesOf(monthsOnDisk(t, db))
	require.Equal(t, "reading_chunks_2023_01", names[0])
	require.Equal(t, "reading_chunks_2024", names[12])
}

// Invariant 3, while partitions are exchanged. A query that is planned before has the months locked, and is waited for.
func TestYears_BecomeOnePartitionWhileQueriesArePlanned(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := startYears(t, db, 3)
	require.NoError(t, a.Runner.CloseDays(t.Context()))
	want := a.Answer(t, history.Query{}).Rows
	var waiting sync.WaitGroup
	require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `LOCK TABLE reading_chunks_2024_07 IN ACCESS EXCLUSIVE MODE`)
		waiting.Go(func() { assert.Equal(t, want, a.Answer(t, history.Query{}).Rows) })
		awaitWaiting(t, db, 1) // planned for the months
		waiting.Go(func() { assert.NoError(t, a.Runner.Maintain(t.Context())) })
		awaitWaiting(t, db, 2)
		return err
	}))
	over := make(chan struct{})
	go func() { waiting.Wait(); close(over) }()
	for asked := 0; ; asked++ {
		require.Equal(t, want, a.Answer(t, history.Query{}).Rows)
		select {
		case <-over:
			require.Contains(t, namesOf(monthsOnDisk(t, db)), "reading_chunks_2024")
			return
		default:
		}
	}
}

// holdMerge begins to make partitions of years and holds it just before its end, while it has the exclusive lock; release lets it
// go on and returns its error.
func holdMerge(t *testing.T, a *aged, db *postgres.DB) (release func() error) {
	t.Helper()
	hold, held, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_ = db.InTx(context.Background(), pgx.TxOptions{}, func(tx pgx.Tx) error {
			_, err := tx.Exec(context.Background(), `LOCK TABLE reading_space IN SHARE MODE`)
			close(held)
			<-hold
			return err
		})
	}()
	<-held
	go func() { ended <- a.Runner.Maintain(t.Context()) }()
	awaitWaiting(t, db, 1)
	return func() error {
		close(hold)
		return <-ended
	}
}

func TestYears_AnswersThatWaitForTheExchangeAreWhole(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := startYears(t, db, 3)
	require.NoError(t, a.Runner.CloseDays(t.Context()))
	want := a.Answer(t, history.Query{}).Rows
	release := holdMerge(t, a, db)
	answered := make(chan *collected, 1)
	go func() { answered <- a.Answer(t, history.Query{}) }()
	awaitWaiting(t, db, 2)
	require.NoError(t, release())
	require.Equal(t, want, (<-answered).Rows)
	require.Contains(t, namesOf(monthsOnDisk(t, db)), "reading_chunks_2023")
}

func TestYears_WhoseExchangeDiesAreMonthsAsBefore(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := startYears(t, db, 3)
	require.NoError(t, a.Runner.CloseDays(t.Context()))
	want, before := a.Answer(t, history.Query{}).Rows, monthsOnDisk(t, db)
	release := holdMerge(t, a, db)
	const kill = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%reading_space%'`
	var killed int
	require.NoError(t, db.QueryRow(t.Context(), kill).Scan(&killed))
	require.Equal(t, 1, killed)
	require.NoError(t, release(), "the next upkeep tries again")
	require.Equal(t, oidsOf(before), oidsOf(monthsOnDisk(t, db)))
	require.Equal(t, want, a.Answer(t, history.Query{}).Rows)
	a.upkeep(t)
	require.Contains(t, namesOf(monthsOnDisk(t, db)), "reading_chunks_2023")
	require.Equal(t, want, a.Answer(t, history.Query{}).Rows)
}

// A month that is one chunk is opened where an edge of the range or of a bucket is in it, and where the window has readings of it.
func TestYears_ByMonthAreWhatTheirReadingsAre(t *testing.T) {
	t.Parallel()
	a := startYears(t, pgtest.New(t), 3)
	a.upkeep(t)
	at := time.Date(2023, 8, 5, 3, 30, 0, 0, time.UTC).UnixMilli()
	a.Post(t, `{"readings":[{"device":"device-001","ts":%d,"values":{"m":-7}}]}`, at) // stays in the window
	zone, err := time.LoadLocation("Asia/Tokyo")
	require.NoError(t, err)
	raw := a.Answer(t, history.Query{}).Rows
	for _, in := range []*time.Location{time.UTC, zone} {
		for _, interval := range []string{"1mo", "3mo", "1y"} {
			parsed, err := bucket.ParseInterval(interval)
			require.NoError(t, err)
			q := history.Query{
				From: time.Date(2023, 2, 11, 5, 10, 0, 0, time.UTC).UnixMilli(), To: time.Date(2024, 11, 3, 7, 0, 0, 0, time.UTC).UnixMilli(),
				Interval: &parsed, Aggregates: []bucket.Aggregate{bucket.Count, bucket.Min, bucket.Max}, Zone: in,
			}
			for device, rows := range a.Answer(t, q).Rows {
				want := map[float64][]float64{}
				grid := bucket.NewGrid(parsed, in)
				for _, p := range raw[device] {
					if int64(p[0]) < q.From || int64(p[0]) >= q.To {
						continue
					}
					start, _ := grid.Bounds(int64(p[0]))
					b := want[float64(start)]
					if b == nil {
						b = []float64{float64(start), 0, p[1], p[1]}
					}
					want[float64(start)] = []float64{b[0], b[1] + 1, min(b[2], p[1]), max(b[3], p[1])}
				}
				require.Len(t, rows, len(want))
				for _, row := range rows {
					require.Equal(t, want[row[0]], row, fmt.Sprint(device, " ", interval, " ", in, " ", chunk.UTC(int64(row[0]))))
				}
			}
		}
	}
}
