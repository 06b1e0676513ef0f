// Package readingstest runs an instance of readings for tests: every part that readings need, on a database (Engine); answers of
// history in memory (Collected); and logs with contents and stamps that a test chooses.
//
// It owns nothing of the program. Tests of readings, history, fold and streaming use it from outside their packages.
package readingstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres"
)

const countStamps = `
CREATE OR REPLACE FUNCTION count_stamps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.committed_at := 'epoch'::timestamptz + NEW.seq * interval '1 microsecond';
	RETURN NEW;
END $$;
DO $$ BEGIN
	CREATE TRIGGER count_stamps BEFORE INSERT ON reading_log FOR EACH ROW EXECUTE FUNCTION count_stamps();
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
UPDATE reading_log SET committed_at = 'epoch'::timestamptz + seq * interval '1 microsecond'
WHERE NOT EXISTS (SELECT FROM reading_log WHERE committed_at < '1971-01-01Z')`

// CountStamps has the stamps of the log count batches, 1, 2, 3, as its seqs do, so that a test can name them. It must be called
// before an instance follows the log.
func CountStamps(t testing.TB, db *postgres.DB) {
	t.Helper()
	_, err := db.Exec(t.Context(), countStamps)
	require.NoError(t, err)
}
