package readings

import (
	"context"
	"fmt"
	"time"

	"telltale/modules/readings/payload"
	"telltale/modules/series"
)

// latestTime returns the latest time that a reading may have now; zero is without a limit.
func (s *Service) latestTime() (latest time.Time) {
	if days := s.limits.MaxAheadDays; days > 0 {
		latest = s.now().Add(time.Duration(days) * 24 * time.Hour)
	}
	return latest
}

// refuseEnded rejects the items whose time is past the retention of their device: no answer would ever show them.
func (s *Service) refuseEnded(ctx context.Context, body *payload.Body, names *resolver) error {
	e := ended{service: s, names: names, strictest: s.retention.Floor(series.GeneralRetention)}
	if own := s.registry.ShortestRetention(); own > 0 {
		e.strictest = max(e.strictest, s.retention.Floor(own))
	}
	if err := e.askFor(ctx, body); err != nil {
		return err
	}
	items, reasons := []int32(nil), []int(nil)
	for i, ts := range body.TS {
		if n := len(items); ts >= e.strictest || n > 0 && items[n-1] == body.Item[i] {
			continue
		}
		if days := e.days(body.Series[i]); ts < s.retention.Floor(days) {
			items, reasons = append(items, body.Item[i]), append(reasons, days)
		}
	}
	for from, to := 0, 0; from < len(items); from = to {
		for to < len(items) && reasons[to] == reasons[from] {
			to++
		}
		reject(body, items[from:to], "ts", s.endedReason(reasons[from]))
	}
	return nil
}

// ended knows how long the readings of the series of a body are kept.
type ended struct {
	service   *Service
	names     *resolver
	strictest int64          // no series has a later floor
	retention map[string]int // of devices with series that are not registered yet, if it is their own
}

const selectRetention = `SELECT id, retention_days FROM devices WHERE id = ANY($1) AND retention_days IS NOT NULL`

// askFor asks the database about devices of which this instance may not have heard.
func (e *ended) askFor(ctx context.Context, body *payload.Body) error {
	wanted := e.names.inUse(body)
	if len(wanted) == 0 {
		return nil
	}
	seen := map[string]bool{}
	var ids []string
	for _, name := range wanted {
		if !seen[name.Device] {
			seen[name.Device] = true
			ids = append(ids, name.Device)
		}
	}
	rows, err := e.service.db.Query(ctx, selectRetention, ids)
	if err != nil {
		return fmt.Errorf("reading how long readings are kept: %w", err)
	}
	defer rows.Close()
	e.retention = map[string]int{}
	for rows.Next() {
		var id string
		var days int
		if err := rows.Scan(&id, &days); err != nil {
			return fmt.Errorf("reading how long readings are kept: %w", err)
		}
		e.retention[id] = days
		e.strictest = max(e.strictest, e.service.retention.Floor(days))
	}
	return rows.Err()
}

// days returns how long the readings of a series, or of a placeholder for one, are kept.
func (e *ended) days(id int32) int {
	if id >= 0 {
		return e.service.registry.RetentionDays(id)
	}
	if days, own := e.retention[e.names.wanted[-1-id].Device]; own {
		return days
	}
	return series.GeneralRetention
}

func (s *Service) endedReason(days int) string {
	if days == series.GeneralRetention {
		return fmt.Sprintf("is older than the %d days that READINGS_RETENTION_DAYS keeps readings", s.limits.RetentionDays)
	}
	return fmt.Sprintf("is older than the %d days that readings of this device are kept (retention_days)", days)
}
