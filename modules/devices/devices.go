// Package devices is the API of the things that report: lists, details, creation, change and removal.
//
// It owns the devices table: the name, metadata, tags, units and retention that a user gives to a device. Series and newest
// readings belong to package series. A device is deleted together with its readings, through the Deleter, which package readings
// implements.
package devices

import (
	"context"
	"encoding/json"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/series"
)

// OnlineWindow is how long after the arrival of its last reading a device counts as online.
const OnlineWindow = 5 * time.Minute

// Device is a thing that reports.
type Device struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Metadata is a JSON object that belongs to the owner; Telltale gives no meaning to it.
	Metadata json.RawMessage `json:"metadata"`
	Tags     []string        `json:"tags"`
	// RetentionDays is how long readings are kept, 0 for ever; nil is the general setting.
	RetentionDays *int      `json:"retention_days"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
	// LastSeenAt is when readings last arrived, whatever their own times are; nil without readings.
	LastSeenAt *time.Time `json:"last_seen_at"`
	// Online tells that LastSeenAt is at most OnlineWindow ago.
	Online bool `json:"online"`
	// Metrics are in order of name, the first 10,000.
	Metrics []Metric `json:"metrics"`
	// MetricsLeftOut is how many more there are.
	MetricsLeftOut int `json:"metrics_left_out,omitempty"`
}

// Metric is what a device reports, or has declared by giving it a unit. LastTS is in Unix milliseconds; it and
// LastValue are those of the newest reading that is not ahead of now, nil until there is one.
type Metric struct {
	Name      string   `json:"name"`
	Unit      string   `json:"unit"`
	LastTS    *int64   `json:"last_ts"`
	LastValue *float64 `json:"last_value"`
}

// Draft is a device that is to be created. Units are by metric.
type Draft struct {
	ID       string
	Name     string
	Metadata json.RawMessage
	Tags     []string
	Units    map[string]string
	// RetentionDays is nil or series.GeneralRetention for the general setting.
	RetentionDays *int
}

// Patch is a change of a device; what is nil stays as it is.
type Patch struct {
	Name *string
	// Metadata is merged into the device's as RFC 7396 (JSON merge patch) has it; null empties it.
	Metadata json.RawMessage
	// Tags replaces all tags.
	Tags *[]string
	// Units changes the units of the metrics named, and declares those that the device does not have yet.
	Units map[string]string
	// RetentionDays changes how long readings are kept; series.GeneralRetention goes back to the general setting.
	RetentionDays *int
}

// Status narrows a list of devices to those online or offline.
type Status string

// The statuses; AnyStatus does not narrow.
const (
	AnyStatus Status = ""
	Online    Status = "online"
	Offline   Status = "offline"
)

// Query says which devices a list holds, and where it goes on.
type Query struct {
	// Search is a substring of id or name, in upper or lower case alike.
	Search string
	// Tags must all be on the device.
	Tags   []string
	Status Status
	// Limit is the largest number of devices in the answer.
	Limit int
	// After is the id behind which the list goes on; empty to begin.
	After string
}

// Page is one answer of a list, in order of id. Next is the Query.After of the page behind it, empty at the end.
type Page struct {
	Devices []Device
	Next    string
}

// Deleter deletes a device with everything it has ever reported; it returns a NotFound fault when there is none. It is
// the service that keeps the readings. It locks the device's row before it touches the series.
type Deleter interface {
	DeleteDevice(ctx context.Context, device string) error
}

// Service lists and changes devices on behalf of a principal, and hides what the principal may not see: a
// hidden device is answered with the same NotFound fault as one that does not exist.
type Service struct {
	store    store
	registry *series.Registry
	deleter  Deleter
	now      func() time.Time
}

// NewService returns a service over the devices of the database. Newest readings are the registry's.
func NewService(db database, registry *series.Registry, deleter Deleter) *Service {
	return &Service{store: store{db}, registry: registry, deleter: deleter, now: time.Now}
}

// Get returns one device.
func (s *Service) Get(ctx context.Context, p access.Principal, id string) (Device, error) {
	if !p.Sees(id) || ValidateID(id) != nil {
		return Device{}, notFound(id)
	}
	device, err := s.store.get(ctx, id)
	if err != nil {
		return Device{}, err
	}
	return s.complete(ctx, device)
}

// Create registers a device. It returns an Invalid fault that names each field at fault, a Forbidden one when the
// principal's devices do not cover the id, and a Conflict when the id is taken.
func (s *Service) Create(ctx context.Context, p access.Principal, draft Draft) (Device, error) {
	row, err := draft.row()
	if err != nil {
		return Device{}, err
	}
	if !p.Sees(draft.ID) {
		return Device{}, forbidden(draft.ID)
	}
	device, states, err := s.store.create(ctx, row, draft.Units)
	if err != nil {
		return Device{}, err
	}
	s.registry.Add(states)
	return s.complete(ctx, device)
}

// Update changes a device. It returns an Invalid fault that names each field at fault, also when it is only the merged
// metadata that is too large.
func (s *Service) Update(ctx context.Context, p access.Principal, id string, patch Patch) (Device, error) {
	if err := patch.validate(); err != nil {
		return Device{}, err
	}
	if !p.Sees(id) || ValidateID(id) != nil {
		return Device{}, notFound(id)
	}
	device, states, err := s.store.update(ctx, id, patch)
	if err != nil {
		return Device{}, err
	}
	s.registry.Add(states)
	return s.complete(ctx, device)
}

// Delete deletes a device, its series and all their readings.
func (s *Service) Delete(ctx context.Context, p access.Principal, id string) error {
	if !p.Sees(id) || ValidateID(id) != nil {
		return notFound(id)
	}
	return s.deleter.DeleteDevice(ctx, id)
}
