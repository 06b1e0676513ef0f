package history

import (
	_ "embed" // of the statements
	"fmt"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"

	"github.com/jackc/pgx/v5"
)

// survey is what is known about the readings that a query concerns before they are read.
type survey struct {
	known bool
	// total is about how many readings there are: of a chunk that the range cuts its share counts, and readings of the window
	// that correct others count twice.
	total int64
	// most is how many readings the largest series has at most.
	most int64
	// mark stands for the state of the chunks. It is not the same again once one of them has been written again.
	mark string
	// touched is the seq of the newest batch with readings of the query that are not in chunks, 0 without any. After a failover
	// the seq may be another batch's: touchedAt is the batch's stamp.
	touched, touchedAt int64
}

// A row has another xmin after each time it was written, and a change of a chunk of a day that is over writes the day's
// statistics too. So the sum of hashes changes with every reading that a fold adds or corrects; with two different hashes
// it has 128 bits. The number of months is in the mark for a statement that does not know the newest one (see errNewMonth). In a database that was
// restored, or failed over, the numbers of transactions that came after its backup are given again. So the server's start and
// the table's oid are part of the mark: every way to restore changes one of them.
//
// survey_few.sql looks at every chunk. survey_many.sql has days stand for their chunks between $7 and the last closed one before $8.
var (
	//go:embed survey_few.sql
	surveyFew string
	//go:embed survey_many.sql
	surveyMany string
)

// fewDays is a range in which looking at every chunk costs less than looking at days as well.
const fewDays = 3 * chunk.Day

// survey returns the statement that looks at the chunks of the series within the query's range, and its arguments.
func (q Query) survey(series []int32) (query string, args []any) {
	args = []any{
		series, chunk.UTC(q.From), chunk.UTC(q.To), chunk.UTC(chunk.MonthSpan.Floor(q.From)), chunk.UTC(chunk.DaySpan.Floor(q.From)), q.Versioned,
	}
	if q.To-q.From <= fewDays {
		return surveyFew, args
	}
	return surveyMany, append(args, chunk.UTC(chunk.DaySpan.Floor(q.From+chunk.Day-1)), chunk.UTC(chunk.DaySpan.Floor(q.To)))
}

// readSurvey adds what the view has to what the statement of a survey has found. Like a scan, it needs a view that was
// captured before.
func readSurvey(row pgx.Row, q Query, recent batchlog.View) (found survey, err error) {
	var folded int64
	if err := row.Scan(&found.total, &found.most, &found.mark, &folded); err != nil {
		return found, fmt.Errorf("counting readings: %w", err)
	}
	found.known = true
	largest := int64(0)
	for i := range recent.Series {
		count, touched := recent.Count(i, folded, q.From, q.To)
		found.total += count
		largest = max(largest, count)
		found.touched = max(found.touched, touched)
		for _, m := range recent.Hidden(i, folded) {
			if m.From < q.To && q.From < m.To {
				found.touched = max(found.touched, m.Seq)
			}
		}
	}
	if found.touched > 0 {
		found.touchedAt = recent.StampAt(found.touched)
	}
	found.most += largest
	return found, nil
}
