package readings

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

func TestQueriesTouchOnlyTheMonthsTheyAskFor(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var months []int64
	for i := range 36 {
		months = append(months, time.Date(2024, time.Month(1+i), 1, 0, 0, 0, 0, time.UTC).UnixMilli())
	}
	require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error { return attachMonths(t.Context(), tx, months) }))
	days := NewBuckets(Interval{Millis: day, Days: 1}, time.UTC)
	for _, s := range []scan{
		{from: months[10] + 5*day, to: months[11] + hour},
		{from: months[10] + 5*day, to: months[11] + hour, buckets: NewBuckets(Interval{Millis: hour}, time.UTC)},
		{from: months[10] + 5*day, to: months[11] + hour, buckets: days},
	} {
		s.recent = NewWindow(1).view([]int32{1, 2, 3})
		query, args := s.question()
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			touched := map[string]bool{}
			require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
				if _, err := tx.Exec(t.Context(), `SET LOCAL plan_cache_mode = `+mode); err != nil {
					return err
				}
				rows, err := tx.Query(t.Context(), `EXPLAIN (ANALYZE, TIMING OFF) `+query, args...)
				if err != nil {
					return err
				}
				lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
				for _, line := range lines {
					for _, name := range regexp.MustCompile(`on (reading_chunks_\d+_\d+)`).FindAllStringSubmatch(line, -1) {
						touched[name[1]] = true
					}
				}
				return err
			}))
			for name := range touched {
				require.True(t, slices.Contains([]string{"reading_chunks_2024_11", "reading_chunks_2024_12"}, name), "%s: %s", mode, name)
			}
			require.NotEmpty(t, touched)
		}
	}
}
