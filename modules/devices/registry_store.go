package devices

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"telltale/platform/fault"
)

// database is what the stores of this package need of a pool.
type database interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	InTx(ctx context.Context, options pgx.TxOptions, run func(pgx.Tx) error) error
}

// registryStore reads and extends the series table for the Registry.
type registryStore struct{ db database }

// Name is a series by the names its owner gave it.
type Name struct{ Device, Metric string }

const selectSeries = `
SELECT id, device_id, metric, unit, (extract(epoch FROM last_ts) * 1000)::bigint, coalesce(last_value, 0),
	coalesce((SELECT retention_days FROM devices WHERE devices.id = device_id), -1) -- GeneralRetention
FROM series`

// Load makes every series of the database known, with its newest reading as of the last fold, and forgets those that the
// database does not have any more.
func (r *Registry) Load(ctx context.Context) error {
	// What is known before the statement was committed before it: if it is not among the rows, it has been deleted.
	known := r.ids()
	states, err := r.query(ctx, selectSeries)
	if err != nil {
		return err
	}
	for _, s := range states {
		delete(known, s.ID)
	}
	r.Drop(slices.Collect(maps.Keys(known)))
	return nil
}

// Reload makes known every series that there is, and none else: the database is not the one that it was, and its ids may
// stand for others. After an error the registry is as it was.
func (r *Registry) Reload(ctx context.Context) error {
	states, err := r.read(ctx, selectSeries)
	if err != nil {
		return err
	}
	r.replace(states)
	return nil
}

// Learn makes the series with these ids known, as far as they exist: another instance has registered them, or their
// unit has changed.
func (r *Registry) Learn(ctx context.Context, ids []int32) error {
	_, err := r.query(ctx, selectSeries+` WHERE id = ANY($1)`, ids)
	return err
}

// query makes the series that a statement returns known.
func (r *Registry) query(ctx context.Context, sql string, args ...any) ([]SeriesState, error) {
	states, err := r.read(ctx, sql, args...)
	if err == nil {
		r.add(states)
	}
	return states, err
}

// read returns the series that a statement returns.
func (r *Registry) read(ctx context.Context, sql string, args ...any) ([]SeriesState, error) {
	rows, err := r.store.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("reading series: %w", err)
	}
	states, err := pgx.CollectRows(rows, scanState)
	if err != nil {
		return nil, fmt.Errorf("reading series: %w", err)
	}
	return states, nil
}

func scanState(row pgx.CollectableRow) (s SeriesState, err error) {
	var ts *int64
	err = row.Scan(&s.ID, &s.Device, &s.Metric, &s.Unit, &ts, &s.LastValue, &s.RetentionDays)
	s.LastTS = NoReading
	if ts != nil {
		s.LastTS = *ts
	}
	return s, err
}

const insertDevices = `
INSERT INTO devices (id)
SELECT d FROM unnest($1::text[]) AS d WHERE NOT EXISTS (SELECT FROM devices WHERE id = d) ORDER BY d
ON CONFLICT DO NOTHING`

// Sorting keeps two instances that register the same series from waiting for each other in a circle; NOT EXISTS keeps
// known series from using up ids.
const insertSeries = `
INSERT INTO series (device_id, metric)
SELECT w.device, w.metric
FROM (SELECT DISTINCT unnest($1::text[]) AS device, unnest($2::text[]) AS metric) AS w
JOIN devices ON devices.id = w.device
WHERE NOT EXISTS (SELECT FROM series s WHERE s.device_id = w.device AND s.metric = w.metric)
ORDER BY 1, 2
FOR KEY SHARE OF devices
ON CONFLICT DO NOTHING`

const selectWanted = selectSeries + `
WHERE (device_id, metric) IN (SELECT unnest($1::text[]), unnest($2::text[]))`

// registerAttempts is how often Register begins again when devices are deleted under its hands.
const registerAttempts = 5

// Register makes the series wanted exist and returns those whose device does not. Unknown devices are registered too
// when createDevices is set. More series than there is Room for are an Invalid fault. It is safe to call for the same series
// from many instances at once.
func (r *Registry) Register(ctx context.Context, wanted []Name, createDevices bool) (missing []Name, err error) {
	if len(wanted) > r.Room() {
		return nil, fault.New(fault.Invalid, "the readings would make %d new series; %s", len(wanted), r.Full())
	}
	for range registerAttempts {
		var found []SeriesState
		err = r.store.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) (err error) {
			found, err = register(ctx, tx, wanted, createDevices)
			return err
		})
		if deletedMeanwhile(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("registering series: %w", err)
		}
		r.add(found)
		if missing = r.unregistered(wanted); len(missing) == 0 || !createDevices {
			return missing, nil
		}
	}
	return missing, fault.Busy(time.Second, err, "devices are deleted while their readings arrive; send them again")
}

func register(ctx context.Context, tx pgx.Tx, wanted []Name, createDevices bool) ([]SeriesState, error) {
	devices, metrics := make([]string, len(wanted)), make([]string, len(wanted))
	for i, name := range wanted {
		devices[i], metrics[i] = name.Device, name.Metric
	}
	if createDevices {
		if _, err := tx.Exec(ctx, insertDevices, distinct(devices)); err != nil {
			return nil, err
		}
	}
	if _, err := tx.Exec(ctx, insertSeries, devices, metrics); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, selectWanted, devices, metrics)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanState)
}

// deletedMeanwhile reports whether a registration failed because a device was deleted at the same time.
func deletedMeanwhile(err error) bool {
	const foreignKeyViolation, deadlockDetected = "23503", "40P01"
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (failure.Code == foreignKeyViolation || failure.Code == deadlockDetected)
}

func (r *Registry) unregistered(wanted []Name) (missing []Name) {
	for _, name := range wanted {
		if _, ok := r.Find(name.Device, name.Metric); !ok {
			missing = append(missing, name)
		}
	}
	return missing
}

// distinct returns the strings sorted, each once.
func distinct(list []string) []string {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, strings.Compare)
	return slices.Compact(sorted)
}
