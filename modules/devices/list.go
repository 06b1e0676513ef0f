package devices

import (
	"context"
	"strings"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/series"
	"telltale/platform/fault"
)

// minBatch is how many devices are read at once when some of them will not be in the answer.
const minBatch = 500

// maxMetrics is how many metrics a page of devices shows. It ends early where the next device's would be more; a device with more
// by itself shows the first ones.
const maxMetrics = 10_000

// List returns one page of the devices that the principal sees and the query asks for. Devices that exist throughout are
// on exactly one page, whatever is created or deleted meanwhile. It takes no longer than a statement may.
func (s *Service) List(ctx context.Context, p access.Principal, query Query) (Page, error) {
	limit := s.store.db.Limit()
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	page, err := s.list(bounded, p, query)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		err = fault.Busy(time.Second, err, "the list took longer than %s; ask for fewer devices at once", limit)
	}
	return page, err
}

func (s *Service) list(ctx context.Context, p access.Principal, query Query) (Page, error) {
	found, more, err := s.search(ctx, p, query)
	if err != nil {
		return Page{}, err
	}
	devices, err := s.completeAll(ctx, found)
	if err != nil || !more && len(devices) == len(found) {
		return Page{Devices: devices}, err
	}
	return Page{Devices: devices, Next: devices[len(devices)-1].ID}, nil
}

// search returns up to as many devices as the query has room for, and whether there are more.
func (s *Service) search(ctx context.Context, p access.Principal, query Query) (found []deviceRow, more bool, err error) {
	keep := s.filter(p, query)
	batch := query.Limit + 1
	if keep != nil {
		batch = max(batch, minBatch)
	}
	for after := query.After; ; {
		rows, err := s.store.list(ctx, query, visibilityOf(p), after, batch)
		if err != nil {
			return nil, false, err
		}
		for _, row := range rows {
			if keep == nil || keep(row) {
				found = append(found, row)
			}
		}
		if len(found) > query.Limit {
			return found[:query.Limit], true, nil
		}
		if len(rows) < batch {
			return found, false, nil
		}
		after = rows[len(rows)-1].ID
	}
}

// filter returns what decides on the rows that the database has let through, nil when there is nothing left to decide.
func (s *Service) filter(p access.Principal, query Query) func(deviceRow) bool {
	folded := strings.ToLower(query.Search)
	checkSearch := !isASCII(query.Search)
	if p.SeesAll() && query.Status == AnyStatus && !checkSearch {
		return nil
	}
	now, covers := s.now(), p.Covers()
	return func(row deviceRow) bool {
		if checkSearch && !strings.Contains(strings.ToLower(row.ID), folded) && !strings.Contains(strings.ToLower(row.Name), folded) {
			return false
		}
		if query.Status != AnyStatus {
			if _, online := s.lastSeen(row.ID, now); online != (query.Status == Online) {
				return false
			}
		}
		return covers.Has(row.ID)
	}
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}

// lastSeen returns when readings of a device last arrived, at most now, and whether that makes it online.
func (s *Service) lastSeen(id string, now time.Time) (at *time.Time, online bool) {
	ts, ok := s.registry.LastSeen(id)
	if !ok {
		return nil, false
	}
	seen := time.UnixMilli(min(ts, now.UnixMilli())).UTC()
	return &seen, now.Sub(seen) <= OnlineWindow
}

func (s *Service) complete(ctx context.Context, row deviceRow) (Device, error) {
	devices, err := s.completeAll(ctx, []deviceRow{row})
	if err != nil {
		return Device{}, err
	}
	return devices[0], nil
}

// completeAll adds to rows what the series tell, as far as maxMetrics lets it: to the first one at least. The database says which
// series there are, and their units: another instance may have changed them. The registry says what the newest readings are:
// it follows the log.
func (s *Service) completeAll(ctx context.Context, rows []deviceRow) ([]Device, error) {
	rows, newest := s.newest(rows)
	devices, ids, at := make([]Device, len(rows)), make([]string, len(rows)), make(map[string]int, len(rows))
	now := s.now()
	for i, row := range rows {
		devices[i] = Device{
			ID: row.ID, Name: row.Name, Metadata: row.Metadata, Tags: row.Tags, RetentionDays: row.RetentionDays,
			CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, Metrics: []Metric{},
		}
		devices[i].LastSeenAt, devices[i].Online = s.lastSeen(row.ID, now)
		ids[i], at[row.ID] = row.ID, i
	}
	if len(rows) == 0 {
		return devices, nil
	}
	most := 0 // what newest let through
	if len(rows) == 1 {
		most = maxMetrics
	}
	states, err := s.store.series(ctx, ids, most)
	if err != nil {
		return nil, err
	}
	horizon := s.registry.Horizon()
	for _, state := range states {
		device := &devices[at[state.Device]]
		ahead := state.LastTS > horizon
		if known, ok := newest[state.ID]; ok && (ahead || known.LastTS >= state.LastTS) {
			state.LastTS, state.LastValue = known.LastTS, known.LastValue
		} else if ahead {
			state.LastTS = series.NoReading
		}
		device.Metrics = append(device.Metrics, metricOf(state))
	}
	if most > 0 && len(states) == most {
		n, err := s.store.countSeries(ctx, ids[0])
		devices[0].MetricsLeftOut = max(0, n-most) // some may be deleted meanwhile
		return devices, err
	}
	return devices, nil
}

// newest returns as many of the rows as have maxMetrics together, at least one, and what the registry knows of their series, by
// id.
func (s *Service) newest(rows []deviceRow) ([]deviceRow, map[int32]series.State) {
	newest := make(map[int32]series.State)
	for i, row := range rows {
		states := s.registry.Device(row.ID)
		if i > 0 && len(newest)+len(states) > maxMetrics {
			return rows[:i], newest
		}
		for _, state := range states {
			newest[state.ID] = state
		}
	}
	return rows, newest
}

func metricOf(state series.State) Metric {
	metric := Metric{Name: state.Metric, Unit: state.Unit}
	if state.LastTS != series.NoReading {
		metric.LastTS, metric.LastValue = &state.LastTS, &state.LastValue
	}
	return metric
}
