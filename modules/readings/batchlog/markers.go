package batchlog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"telltale/modules/readings/deletion"
	"telltale/platform/fault"

	"github.com/jackc/pgx/v5"
)

// maxDeletedSeries bounds how long every instance takes to find out what is newest now, while acknowledgements wait.
const maxDeletedSeries = 10_000

const deleteDevice = `
WITH locked AS (
	SELECT id FROM series WHERE device_id = $1 ORDER BY id FOR UPDATE
), dropped AS (
	DELETE FROM series USING locked WHERE series.id = locked.id RETURNING series.id
), appended AS (
	INSERT INTO reading_log (seq, committed_at, count, min_ts, max_ts, series, data, dropped)
	SELECT ` + nextBatch + `, 0, 0, 0, $2, $2, (SELECT coalesce(array_agg(id), '{}') FROM dropped)` + fromState + `
	RETURNING seq
)
UPDATE log_state SET dropped_seq = appended.seq FROM appended
RETURNING appended.seq, pg_notify('` + Doorbell + `', appended.seq::text)::text`

// lockLog keeps everyone from appending until tx ends: an instance whose machine vanishes must not delay that for long.
func lockLog(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = '10s'`); err != nil {
		return fmt.Errorf("locking the log: %w", err)
	}
	if _, err := tx.Exec(ctx, lockAppend, int64(appendLock)); err != nil {
		return fmt.Errorf("locking the log: %w", err)
	}
	return nil
}

// DeleteDevice deletes the series of a device within tx and appends a batch that tells every instance that they are dropped. The chunks go with
// the next fold.
func (l *Log) DeleteDevice(ctx context.Context, tx pgx.Tx, device string) (seq int64, err error) {
	if err := lockLog(ctx, tx); err != nil {
		return 0, err
	}
	if err := tx.QueryRow(ctx, deleteDevice, device, noReadings).Scan(&seq, nil); err != nil {
		return 0, fmt.Errorf("appending the deletion of a device: %w", err)
	}
	return seq, nil
}

const insertDeletion = `
WITH meant AS (
	SELECT coalesce(array_agg(id ORDER BY id), '{}') AS ids FROM series
	WHERE device_id = ANY($1) AND (cardinality($2::text[]) = 0 OR metric = ANY($2))
), appended AS (
	INSERT INTO reading_log (seq, committed_at, count, min_ts, max_ts, series, data, deleted, deleted_from, deleted_to)
	SELECT ` + nextBatch + `, 0, 0, 0, $6, $6, meant.ids, $3, $4` + fromState + `, meant
	WHERE cardinality(meant.ids) BETWEEN 1 AND $5
	RETURNING seq, committed_at
), noted AS (
	UPDATE log_state SET dropped_seq = appended.seq FROM appended
	RETURNING appended.seq, appended.committed_at, pg_notify('` + Doorbell + `', appended.seq::text)::text
)
SELECT cardinality(meant.ids), coalesce((SELECT seq FROM noted), 0), (SELECT committed_at FROM noted) FROM meant`

// Delete appends, within tx, a batch that deletes readings, unless there is no series that it is about: then seq is 0. The
// series are those that there are at its position in the log. More than maxDeletedSeries are an Invalid fault.
func (l *Log) Delete(ctx context.Context, tx pgx.Tx, wish deletion.Request) (seq, stamp int64, err error) {
	if err := lockLog(ctx, tx); err != nil {
		return 0, 0, err
	}
	var series int
	var at *time.Time
	metrics := append([]string{}, wish.Metrics...)
	slices.Sort(metrics)
	if err := tx.QueryRow(ctx, insertDeletion, wish.Devices, metrics, wish.From, wish.To, maxDeletedSeries, noReadings).Scan(&series, &seq, &at); err != nil {
		return 0, 0, fmt.Errorf("appending a deletion: %w", err)
	}
	if series > maxDeletedSeries {
		return 0, 0, fault.InvalidField("device", "names devices with %d series, and no more than %d lose readings at once", series, maxDeletedSeries)
	}
	return seq, stampOf(at), nil
}
