package devices

import (
	"context"
	"strings"
	"time"

	"telltale/modules/auth"
)

// minBatch is how many devices are read at once when some of them will not be in the answer.
const minBatch = 500

// List returns one page of the devices that the principal sees and the query asks for. Devices that exist throughout are
// on exactly one page, whatever is created or deleted meanwhile.
func (s *Service) List(ctx context.Context, p auth.Principal, query Query) (Page, error) {
	keep := s.filter(p, query)
	batch := query.Limit + 1
	if keep != nil {
		batch = max(batch, minBatch)
	}
	var found []deviceRow
	for after := query.After; ; {
		rows, err := s.store.list(ctx, query, visibilityOf(p), after, batch)
		if err != nil {
			return Page{}, err
		}
		for _, row := range rows {
			if keep == nil || keep(row) {
				found = append(found, row)
			}
		}
		if len(found) > query.Limit {
			found = found[:query.Limit]
			devices, err := s.completeAll(ctx, found)
			return Page{Devices: devices, Next: found[query.Limit-1].ID}, err
		}
		if len(rows) < batch {
			devices, err := s.completeAll(ctx, found)
			return Page{Devices: devices}, err
		}
		after = rows[len(rows)-1].ID
	}
}

// filter returns what decides on the rows that the database has let through, nil when there is nothing left to decide.
func (s *Service) filter(p auth.Principal, query Query) func(deviceRow) bool {
	folded := strings.ToLower(query.Search)
	checkSearch := !isASCII(query.Search)
	if p.SeesAll() && query.Status == AnyStatus && !checkSearch {
		return nil
	}
	now := s.now()
	return func(row deviceRow) bool {
		if checkSearch && !strings.Contains(strings.ToLower(row.ID), folded) && !strings.Contains(strings.ToLower(row.Name), folded) {
			return false
		}
		if query.Status != AnyStatus {
			if _, online := s.lastSeen(row.ID, now); online != (query.Status == Online) {
				return false
			}
		}
		return p.Sees(row.ID)
	}
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}

// lastSeen returns the instant of a device's newest reading, at most now, and whether that makes it online.
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

// completeAll adds to rows what the series tell. The database says which series there are, and their units: another
// instance may have changed them. The registry says what the newest readings are: it follows the log.
func (s *Service) completeAll(ctx context.Context, rows []deviceRow) ([]Device, error) {
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
	states, err := s.store.series(ctx, ids)
	if err != nil {
		return nil, err
	}
	newest := make(map[int32]SeriesState, len(states))
	for _, state := range s.registry.Select(ids, nil) {
		newest[state.ID] = state
	}
	for _, state := range states {
		device := &devices[at[state.Device]]
		if known, ok := newest[state.ID]; ok && known.LastTS >= state.LastTS {
			state.LastTS, state.LastValue = known.LastTS, known.LastValue
		}
		device.Metrics = append(device.Metrics, metricOf(state))
	}
	return devices, nil
}

func metricOf(state SeriesState) Metric {
	metric := Metric{Name: state.Metric, Unit: state.Unit}
	if state.LastTS != NoReading {
		metric.LastTS, metric.LastValue = &state.LastTS, &state.LastValue
	}
	return metric
}
