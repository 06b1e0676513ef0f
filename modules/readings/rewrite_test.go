package readings_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/fold"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// monthOnDisk is a partition of chunks; another one in its place has another oid.
type monthOnDisk struct {
	Name string
	OID  uint32
	Size int64 // bytes, indexes and free space included
}

func monthsOnDisk(t testing.TB, db *postgres.DB) []monthOnDisk {
	t.Helper()
	rows, err := db.Query(t.Context(), `
		SELECT inhrelid::regclass::text, inhrelid, pg_total_relation_size(inhrelid) FROM pg_inherits
		WHERE inhparent = 'reading_chunks'::regclass ORDER BY 1`)
	require.NoError(t, err)
	months, err := pgx.CollectRows(rows, pgx.RowToStructByPos[monthOnDisk])
	require.NoError(t, err)
	return months
}

func oidsOf(months []monthOnDisk) (oids []uint32) {
	for _, m := range months {
		oids = append(oids, m.OID)
	}
	return oids
}

// startShuffled starts an engine on the tenth of March, and a backfill since January in random order.
func startShuffled(t testing.TB, db *postgres.DB) (*engine, *backfill) {
	t.Helper()
	today := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	_, err := db.Exec(t.Context(), setClosed, today)
	require.NoError(t, err)
	e := startEngine(t, db)
	e.SetNow(func() time.Time { return today.Add(2 * time.Hour) })
	return e, newBackfill(t, e, 10, 15*time.Minute, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), today)
}

func TestRewrite_BackfillInManyFoldsTakesNoMoreDiskThanInOne(t *testing.T) {
	t.Parallel()
	other := pgtest.New(t)
	atOnce, whole := startShuffled(t, other)
	require.False(t, whole.post(t, len(whole.order), 0))
	atOnce.FoldAll(t)
	ideal := monthsOnDisk(t, other)

	db := pgtest.New(t)
	e, b := startShuffled(t, db)
	now := e.Now()
	e.SetNow(func() time.Time { return now })
	maintain := func() []monthOnDisk {
		require.NoError(t, e.Runner.CloseDays(t.Context()))
		require.NoError(t, e.Runner.Maintain(t.Context()))
		return monthsOnDisk(t, db)
	}
	var first []monthOnDisk
	for more := true; more; {
		more = b.post(t, 3000, 30)
		e.FoldAll(t)
		if months := maintain(); first == nil {
			first = months
		} else {
			require.Equal(t, oidsOf(first), oidsOf(months), "the backfill is still under way")
		}
		now = now.Add(10 * time.Minute)
	}
	now = now.Add(time.Hour - 11*time.Minute)
	before := maintain()
	require.Equal(t, oidsOf(first), oidsOf(before), "it may still be under way")

	now = now.Add(time.Minute)
	after := maintain()
	const january, february, march = 0, 1, 2
	for _, month := range []int{january, february} {
		t.Logf("%s: %d bytes, %d after the backfill, %d in one fold", after[month].Name, after[month].Size, before[month].Size, ideal[month].Size)
		require.Greater(t, before[month].Size, 2*ideal[month].Size)
		require.LessOrEqual(t, after[month].Size, ideal[month].Size*11/10)
		require.NotEqual(t, before[month].OID, after[month].OID)
	}
	require.Equal(t, before[march].OID, after[march].OID, "a month that is not over uses its free space again")
	b.requireStored(t)

	// From now on a few late readings leave the months as they are, however long they rest.
	require.Equal(t, oidsOf(after), oidsOf(maintain()))
	e.Post(t, `{"readings":[{"device":"device-00","ts":%d,"values":{"m":1}}]}`, b.first)
	b.values[0][0] = 1
	e.FoldAll(t)
	now = now.Add(2 * time.Hour)
	require.Equal(t, oidsOf(after), oidsOf(maintain()))
	b.requireStored(t)
}

func TestRewrite_OfMonthsGoesOneByOneWhileMuchWaitsToBeFolded(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e, b := startShuffled(t, db)
	for more := true; more; {
		more = b.post(t, 10_000, 0)
		e.FoldAll(t)
	}
	months := monthsOnDisk(t, db)
	now := e.Now().Add(time.Hour)
	e.SetNow(func() time.Time { return now })
	e.FoldWith(func(p *fold.Parts) { p.Limits.FoldReadings = 1 })
	e.Post(t, `{"readings":[{"device":"device-00","ts":%d,"values":{"m":1}}]}`, b.first)
	for written := range 2 {
		require.NoError(t, e.Runner.Maintain(t.Context()))
		now := monthsOnDisk(t, db)
		require.NotEqual(t, months[written].OID, now[written].OID)
		months[written].OID = now[written].OID
		require.Equal(t, oidsOf(months), oidsOf(now), "a fold comes before the next one")
	}
}
