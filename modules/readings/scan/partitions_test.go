package scan

import (
	"fmt"
	"regexp"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"
	"telltale/platform/postgres/pgtest"
)

func TestScan_TouchesOnlyTheMonthsOfItsRange(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var months []int64
	for i := range 36 {
		months = append(months, time.Date(2024, time.Month(1+i), 1, 0, 0, 0, 0, time.UTC).UnixMilli())
	}
	for _, month := range months {
		first := chunk.UTC(month)
		_, err := db.Exec(t.Context(), fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s PARTITION OF reading_chunks FOR VALUES FROM ('%s') TO ('%s')`,
			first.Format("reading_chunks_2006_01"), first.Format(time.RFC3339), first.AddDate(0, 1, 0).Format(time.RFC3339)))
		require.NoError(t, err)
	}
	for _, s := range []Scan{
		{From: months[10] + 5*chunk.Day, To: months[11] + chunk.Hour},
		{From: months[10] + 5*chunk.Day, To: months[11] + chunk.Hour, Whole: chunk.HourSpan},
		{From: months[10] + 5*chunk.Day, To: months[11] + chunk.Hour, Whole: chunk.DaySpan},
		{From: months[10] + 5*chunk.Day, To: months[11] + chunk.Hour, Whole: chunk.MonthSpan},
	} {
		s.Months = new(atomic.Int64)
		s.Recent = batchlog.NewWindow(1).View([]int32{1, 2, 3})
		query, args := s.Statement()
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
