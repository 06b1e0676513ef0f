package series

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"telltale/platform/fault"
	"telltale/platform/postgres"
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

// SelectStates reads states for ScanState; a WHERE may follow. Instants stay timestamps: PostgreSQL takes twice the time to turn
// those of many series into numbers.
// SelectStates selects what ScanState reads; a condition may follow.
const SelectStates = `
SELECT series.id, device_id, metric, unit, last_ts, coalesce(last_value, 0),
	coalesce(devices.retention_days, -1), -- GeneralRetention
	ahead_ts, coalesce(arrived_at, CASE WHEN last_ts <= now() THEN last_ts END) -- at first, no arrival was recorded
FROM series JOIN devices ON devices.id = device_id`

// Load makes every series of the database known, with its newest reading as of the last fold, and forgets those that the
// database does not have any more.
func (r *Registry) Load(ctx context.Context) error {
	// What is known before the statement was committed before it: if it is not among the rows, it has been deleted.
	known := r.ids()
	states, err := r.query(ctx, SelectStates)
	if err != nil {
		return err
	}
	listed := make([]int32, len(states))
	for i, s := range states {
		listed[i] = s.ID
	}
	slices.Sort(listed)
	r.Drop(slices.DeleteFunc(known, func(id int32) bool { _, found := slices.BinarySearch(listed, id); return found }))
	return nil
}

// Reload makes known every series that there is, and none else: the database is not the one that it was, and its ids may
// stand for others. After an error the registry is as it was.
func (r *Registry) Reload(ctx context.Context) error {
	states, err := r.read(ctx, SelectStates)
	if err != nil {
		return err
	}
	r.replace(states)
	return nil
}

// Learn makes the series with these ids known, as far as they exist: another instance has registered them, or their
// unit has changed.
func (r *Registry) Learn(ctx context.Context, ids []int32) error {
	_, err := r.query(ctx, SelectStates+` WHERE series.id = ANY($1)`, ids)
	return err
}

// query makes the series that a statement returns known.
func (r *Registry) query(ctx context.Context, sql string, args ...any) ([]State, error) {
	states, err := r.read(ctx, sql, args...)
	if err == nil {
		r.Add(states)
	}
	return states, err
}

// read returns the series that a statement returns.
func (r *Registry) read(ctx context.Context, sql string, args ...any) ([]State, error) {
	rows, err := r.store.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("reading series: %w", err)
	}
	states, err := pgx.CollectRows(rows, ScanState)
	if err != nil {
		return nil, fmt.Errorf("reading series: %w", err)
	}
	return states, nil
}

// ScanState reads a row of SelectStates.
// ScanState reads a row of SelectStates.
func ScanState(row pgx.CollectableRow) (s State, err error) {
	var last, ahead, arrived pgtype.Timestamptz
	err = row.Scan(&s.ID, &s.Device, &s.Metric, &s.Unit, &last, &s.LastValue, &s.RetentionDays, &ahead, &arrived)
	s.LastTS, s.AheadTS, s.ArrivedAt = instant(last), instant(ahead), instant(arrived)
	return s, err
}

// instant returns an instant that may be absent.
func instant(ts pgtype.Timestamptz) int64 {
	if !ts.Valid {
		return NoReading
	}
	return ts.Time.UnixMilli()
}

const insertDevices = `
INSERT INTO devices (id)
SELECT d FROM unnest($1::text[]) AS d WHERE NOT EXISTS (SELECT FROM devices WHERE id = d OFFSET 0) ORDER BY d
ON CONFLICT DO NOTHING`

// Sorting keeps two instances that register the same series from waiting for each other in a circle; NOT EXISTS keeps
// known series from using up ids. OFFSET 0 has each series looked up by the unique index: as a join, by statistics that a body
// of many new series makes wrong, it can take minutes.
const insertSeries = `
INSERT INTO series (device_id, metric)
SELECT w.device, w.metric
FROM (SELECT DISTINCT unnest($1::text[]) AS device, unnest($2::text[]) AS metric) AS w
JOIN devices ON devices.id = w.device
WHERE NOT EXISTS (SELECT FROM series s WHERE s.device_id = w.device AND s.metric = w.metric OFFSET 0)
ORDER BY 1, 2
FOR KEY SHARE OF devices
ON CONFLICT DO NOTHING`

// OFFSET 0 as above.
const selectWanted = `
SELECT s.* FROM unnest($1::text[], $2::text[]) AS w (device, metric) CROSS JOIN LATERAL (` + SelectStates + `
	WHERE device_id = w.device AND metric = w.metric OFFSET 0
) AS s`

const (
	// registerAttempts is how often Register begins again when devices are deleted under its hands.
	registerAttempts = 5
	// registerStep is how many series one transaction registers: what it locks, others wait for.
	registerStep = 4000
)

// Register makes the series wanted exist and returns those whose device does not. Unknown devices are registered too
// when createDevices is set. More series than there is Room for are an Invalid fault. It is safe to call for the same series
// from many instances at once. Many series take several transactions: after an error some of them may exist, which does no
// harm to those who ask again.
func (r *Registry) Register(ctx context.Context, wanted []Name, createDevices bool) (missing []Name, err error) {
	if len(wanted) > r.Room() {
		return nil, fault.New(fault.Invalid, "the readings would make %d new series; %s", len(wanted), r.Full())
	}
	for step := range slices.Chunk(wanted, registerStep) {
		absent, err := r.registerStep(ctx, step, createDevices)
		if err != nil {
			return nil, err
		}
		missing = append(missing, absent...)
	}
	return missing, nil
}

func (r *Registry) registerStep(ctx context.Context, wanted []Name, createDevices bool) (missing []Name, err error) {
	for range registerAttempts {
		var found []State
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
		r.Add(found)
		if missing = r.unregistered(wanted); len(missing) == 0 || !createDevices {
			return missing, nil
		}
	}
	return missing, fault.Busy(time.Second, err, "devices are deleted while their readings arrive; send them again")
}

func register(ctx context.Context, tx pgx.Tx, wanted []Name, createDevices bool) ([]State, error) {
	devices, metrics := make([]string, len(wanted)), make([]string, len(wanted))
	for i, name := range wanted {
		devices[i], metrics[i] = name.Device, name.Metric
	}
	// Planned each time: a plan made for a few names in a small table takes minutes for thousands in a large one.
	if createDevices {
		if _, err := tx.Exec(ctx, insertDevices, pgx.QueryExecModeDescribeExec, distinct(devices)); err != nil {
			return nil, err
		}
	}
	if _, err := tx.Exec(ctx, insertSeries, pgx.QueryExecModeDescribeExec, devices, metrics); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, selectWanted, pgx.QueryExecModeDescribeExec, devices, metrics)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, ScanState)
}

// deletedMeanwhile reports whether a registration failed because a device was deleted at the same time.
func deletedMeanwhile(err error) bool {
	return postgres.Is(err, postgres.ForeignKeyViolation, postgres.Deadlock)
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
