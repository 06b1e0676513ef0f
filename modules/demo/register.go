package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// listed is what the simulator wants to know of a device in the API's list.
type listed struct {
	ID      string `json:"id"`
	Metrics []struct {
		Name   string `json:"name"`
		LastTS *int64 `json:"last_ts"`
	} `json:"metrics"`
}

// register creates the devices of the fleet that the server does not have, and returns up to which instant, in Unix
// milliseconds, all the sensors of a device have readings; it has no entry for a device of which a sensor has none.
func (s *Simulator) register(ctx context.Context) (newest map[string]int64, err error) {
	known, err := s.known(ctx)
	if err != nil {
		return nil, err
	}
	newest = map[string]int64{}
	for _, d := range s.fleet {
		entry, ok := known[d.id]
		if !ok {
			if err := s.create(ctx, d); err != nil {
				return nil, err
			}
			continue
		}
		if ts, ok := entry.newest(d); ok {
			newest[d.id] = ts
		}
	}
	return newest, nil
}

// known returns the devices of the fleet that the server has: its API key covers no others.
func (s *Simulator) known(ctx context.Context) (map[string]listed, error) {
	known := map[string]listed{}
	for cursor := ""; ; {
		var page struct {
			Devices    []listed `json:"devices"`
			NextCursor string   `json:"next_cursor"`
		}
		if err := s.api.call(ctx, http.MethodGet, "/api/devices?limit=1000"+cursor, nil, &page); err != nil {
			return nil, err
		}
		for _, d := range page.Devices {
			known[d.ID] = d
		}
		if page.NextCursor == "" {
			return known, nil
		}
		cursor = "&cursor=" + page.NextCursor
	}
}

// newest returns up to which instant every sensor of the device has readings; ok is false when one has none.
func (l listed) newest(d device) (ts int64, ok bool) {
	last := map[string]int64{}
	for _, m := range l.Metrics {
		if m.LastTS != nil {
			last[m.Name] = *m.LastTS
		}
	}
	for i, sensor := range d.sensors {
		at, ok := last[sensor.metric]
		if !ok {
			return 0, false
		}
		if i == 0 || at < ts {
			ts = at
		}
	}
	return ts, true
}

func (s *Simulator) create(ctx context.Context, d device) error {
	units := map[string]string{}
	for _, sensor := range d.sensors {
		units[sensor.metric] = sensor.unit
	}
	body, err := json.Marshal(map[string]any{
		"id": d.id, "name": d.name, "metadata": d.metadata, "tags": d.tags, "units": units,
	})
	if err != nil {
		return fmt.Errorf("encoding a device: %w", err)
	}
	err = s.api.call(ctx, http.MethodPost, "/api/devices", body, nil)
	if refused, ok := errors.AsType[*refusal](err); ok && refused.status == http.StatusConflict {
		return nil // an earlier attempt has arrived after all
	}
	return err
}
