package devices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"telltale/modules/series"
	"telltale/platform/fault"
)

// database is what the store needs of a pool.
type database interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	InTx(ctx context.Context, options pgx.TxOptions, run func(pgx.Tx) error) error
	// Limit is how long a statement may take.
	Limit() time.Duration
}

// store reads and writes the devices table.
type store struct{ db database }

// deviceRow is a device as its table has it.
type deviceRow struct {
	ID       string
	Name     string
	Metadata json.RawMessage
	Tags     []string
	// RetentionDays is nil for the general setting.
	RetentionDays *int
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

const (
	deviceColumns = `id, name, metadata, tags, retention_days, created_at, updated_at`
	selectDevice  = `SELECT ` + deviceColumns + ` FROM devices WHERE id = $1`
)

func (s store) get(ctx context.Context, id string) (deviceRow, error) {
	rows, err := s.db.Query(ctx, selectDevice, id)
	if err != nil {
		return deviceRow{}, fmt.Errorf("reading a device: %w", err)
	}
	row, err := collectDevice(rows)
	if errors.Is(err, pgx.ErrNoRows) {
		return deviceRow{}, notFound(id)
	}
	return row, err
}

const selectDevices = `
SELECT ` + deviceColumns + ` FROM devices
WHERE id > @after AND tags @> @tags::text[]`

// Searching in collation C makes the database's locale irrelevant, and keeps nondeterministic collations out of LIKE.
const (
	andMatching = `
  AND (id COLLATE "C" ILIKE @search OR name COLLATE "C" ILIKE @search)`
	andNamed = `
  AND id = ANY(@ids::text[])`
	andNamedOrLike = `
  AND (id = ANY(@ids::text[]) OR id COLLATE "C" LIKE ANY(@likes::text[]))`
	inOrder = `
ORDER BY id LIMIT @limit`
)

// list returns up to limit devices behind the id after, in order of id: those that the query's search and tags
// and the visibility let through.
func (s store) list(ctx context.Context, query Query, seen visibility, after string, limit int) ([]deviceRow, error) {
	sql := selectDevices
	if query.Search != "" {
		sql += andMatching
	}
	switch {
	case len(seen.Likes) > 0:
		sql += andNamedOrLike
	case !seen.All:
		sql += andNamed
	}
	rows, err := s.db.Query(ctx, sql+inOrder, pgx.NamedArgs{
		"after": after, "limit": limit, "search": containing(query.Search),
		"tags": tagSet(query.Tags), "ids": seen.IDs, "likes": seen.Likes,
	})
	if err != nil {
		return nil, fmt.Errorf("listing devices: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanDevice)
	if err != nil {
		return nil, fmt.Errorf("listing devices: %w", err)
	}
	return list, nil
}

const (
	selectSeriesOfDevices = series.SelectStates + `
WHERE device_id = ANY($1) ORDER BY device_id, metric`
	limited     = ` LIMIT nullif($2, 0)`
	countSeries = `SELECT count(*) FROM series WHERE device_id = $1`
)

// series returns the series of the devices as of the last fold, in the order of both names, up to limit; 0 is none.
func (s store) series(ctx context.Context, devices []string, limit int) ([]series.State, error) {
	rows, err := s.db.Query(ctx, selectSeriesOfDevices+limited, devices, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the series of devices: %w", err)
	}
	states, err := pgx.CollectRows(rows, series.ScanState)
	if err != nil {
		return nil, fmt.Errorf("reading the series of devices: %w", err)
	}
	return states, nil
}

func (s store) countSeries(ctx context.Context, device string) (n int, err error) {
	if err := s.db.QueryRow(ctx, countSeries, device).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting the series of a device: %w", err)
	}
	return n, nil
}

const insertDevice = `
INSERT INTO devices (id, name, metadata, tags, retention_days) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING ` + deviceColumns

func (s store) create(ctx context.Context, row deviceRow, units map[string]string) (deviceRow, []series.State, error) {
	var states []series.State
	err := s.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		id := row.ID
		rows, err := tx.Query(ctx, insertDevice, id, row.Name, row.Metadata, row.Tags, row.RetentionDays)
		if err != nil {
			return err
		}
		stored, err := collectDevice(rows)
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.Conflict, "there is a device %q already", id)
		}
		if err != nil {
			return err
		}
		row = stored
		states, err = setUnits(ctx, tx, id, units)
		return err
	})
	if err != nil {
		return deviceRow{}, nil, fmt.Errorf("creating a device: %w", err)
	}
	return row, states, nil
}

const (
	// Deleting a device takes the same lock before it touches the series: neither waits for the other in a circle.
	lockDevice   = selectDevice + ` FOR NO KEY UPDATE`
	updateDevice = `
UPDATE devices SET name = $2, metadata = $3, tags = $4, retention_days = $5, updated_at = now() WHERE id = $1
RETURNING ` + deviceColumns
)

func (s store) update(ctx context.Context, id string, patch Patch) (row deviceRow, states []series.State, err error) {
	err = s.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, lockDevice, id)
		if err != nil {
			return err
		}
		old, err := collectDevice(rows)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound(id)
		}
		if err != nil {
			return err
		}
		changed, err := patch.apply(old)
		if err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, updateDevice, id, changed.Name, changed.Metadata, changed.Tags, changed.RetentionDays); err != nil {
			return err
		}
		if row, err = collectDevice(rows); err != nil {
			return err
		}
		if states, err = setUnits(ctx, tx, id, patch.Units); err != nil || patch.RetentionDays == nil {
			return err
		}
		// Every series of the device has changed.
		if rows, err = tx.Query(ctx, selectSeriesOfDevices, []string{id}); err == nil {
			states, err = pgx.CollectRows(rows, series.ScanState)
		}
		return err
	})
	if err != nil {
		return deviceRow{}, nil, fmt.Errorf("changing a device: %w", err)
	}
	return row, states, nil
}

// An update of its own keeps known series from using up ids, which an INSERT … ON CONFLICT would. Only a metric with a
// unit is worth declaring. Series are locked in the order of their ids, as by everyone who changes several, so that two never
// wait for each other.
const setSeriesUnits = `
WITH given AS (
    SELECT metric, unit FROM unnest($2::text[], $3::text[]) AS g (metric, unit)
), locked AS (
    SELECT id FROM series WHERE device_id = $1 ORDER BY id FOR NO KEY UPDATE
), known AS (
    UPDATE series SET unit = given.unit FROM given, locked
    WHERE series.id = locked.id AND series.metric = given.metric
    RETURNING series.*
), declared AS (
    INSERT INTO series (device_id, metric, unit)
    SELECT $1, metric, unit FROM given
    WHERE unit <> '' AND NOT EXISTS (SELECT FROM series s WHERE s.device_id = $1 AND s.metric = given.metric)
    ORDER BY metric
    ON CONFLICT (device_id, metric) DO UPDATE SET unit = excluded.unit
    RETURNING series.*
), series AS (
    SELECT * FROM known UNION ALL SELECT * FROM declared
)` + series.SelectStates

// setUnits changes the units of the device's metrics, declares those that are new, and returns them as they now are.
func setUnits(ctx context.Context, tx pgx.Tx, device string, units map[string]string) ([]series.State, error) {
	if len(units) == 0 {
		return nil, nil
	}
	metrics, texts := make([]string, 0, len(units)), make([]string, 0, len(units))
	for metric := range units {
		metrics = append(metrics, metric)
	}
	slices.Sort(metrics)
	for _, metric := range metrics {
		texts = append(texts, units[metric])
	}
	rows, err := tx.Query(ctx, setSeriesUnits, device, metrics, texts)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, series.ScanState)
}

func collectDevice(rows pgx.Rows) (deviceRow, error) {
	row, err := pgx.CollectExactlyOneRow(rows, scanDevice)
	if err != nil {
		return deviceRow{}, fmt.Errorf("reading a device: %w", err)
	}
	return row, nil
}

func scanDevice(row pgx.CollectableRow) (d deviceRow, err error) {
	err = row.Scan(&d.ID, &d.Name, &d.Metadata, &d.Tags, &d.RetentionDays, &d.CreatedAt, &d.UpdatedAt)
	d.CreatedAt, d.UpdatedAt = d.CreatedAt.UTC(), d.UpdatedAt.UTC()
	return d, err
}
