package readings

import (
	"context"
	"errors"
	"slices"
	"time"

	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/modules/readings/payload"
	"telltale/platform/fault"
)

// Receipt is the answer to an ingest request whose readings are durable.
type Receipt struct {
	// Accepted counts the readings stored, by value.
	Accepted int
	// Seq is the batch that holds them; 0 when none was good.
	Seq int64
	// Rejected counts the items that were not stored; Rejects describes the first of them.
	Rejected int
	Rejects  []payload.Reject
	// Forbidden says that among them are devices that the principal's token does not cover.
	Forbidden bool
}

// Ingest makes the readings of one request durable on behalf of the principal. Without skip it is all or nothing: an Invalid
// fault lists every bad item, a Forbidden one those that the principal's token does not cover. With skip the good ones are
// stored and the others listed. New series are registered, new devices as well if the principal may write devices.
func (s *Service) Ingest(ctx context.Context, who auth.Principal, req payload.Request, skip bool) (Receipt, error) {
	if unfolded := s.window.Stats().Unfolded; unfolded > s.limits.MaxUnfoldedReadings {
		return Receipt{}, fault.Busy(5*time.Second, nil, "%d readings wait to be folded; send these again later", unfolded)
	}
	if err := s.tail.Err(); err != nil {
		return Receipt{}, fault.Busy(time.Second, err, "readings cannot be stored until the log has been read")
	}
	decoder := payload.Get()
	names := &resolver{registry: s.registry, who: who}
	body, err := decoder.Decode(req, names)
	if err != nil {
		payload.Put(decoder)
		return Receipt{}, err
	}
	if !skip && body.Rejected > 0 {
		err := body.Fault()
		if names.forbidden {
			fault.As(err).Kind = fault.Forbidden
		}
		payload.Put(decoder)
		return Receipt{}, err
	}
	receipt, err := s.store(ctx, who, body, names, skip)
	if err == nil {
		// After an error the appender may still be about to copy the body.
		payload.Put(decoder)
	}
	return receipt, err
}

// store registers what is new in the body and appends it.
func (s *Service) store(ctx context.Context, who auth.Principal, body *payload.Body, names *resolver, skip bool) (Receipt, error) {
	if len(names.wanted) > 0 {
		unknown, err := s.register(ctx, who, body, names)
		if err != nil {
			return Receipt{}, err
		}
		if len(unknown) > 0 {
			rejectUnknown(body, unknown)
			if !skip {
				return Receipt{}, body.Fault()
			}
		}
	}
	receipt := Receipt{
		Accepted: len(body.Series), Rejected: body.Rejected, Rejects: slices.Clone(body.Rejects), Forbidden: names.forbidden,
	}
	if receipt.Accepted == 0 {
		return receipt, nil
	}
	var err error
	receipt.Seq, err = s.appender.Append(ctx, body.Series, body.TS, body.Value)
	return receipt, err
}

// register replaces the placeholders in the body by the ids of series that exist from now on. It returns the indexes of
// the items whose device is not known and may not be registered.
func (s *Service) register(ctx context.Context, who auth.Principal, body *payload.Body, names *resolver) (unknown []int32, err error) {
	used := make([]bool, len(names.wanted))
	for _, id := range body.Series {
		if id < 0 {
			used[-1-id] = true
		}
	}
	var wanted []devices.Name
	for i, name := range names.wanted {
		if used[i] {
			wanted = append(wanted, name)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	if _, err := s.registry.Register(ctx, wanted, who.Can(auth.DevicesWrite)); err != nil {
		return nil, err
	}
	for i, id := range body.Series {
		if id >= 0 {
			continue
		}
		name := names.wanted[-1-id]
		found, ok := s.registry.Find(name.Device, name.Metric)
		if !ok && who.Can(auth.DevicesWrite) {
			return nil, fault.Busy(time.Second, nil, "device %q is being deleted; send its readings again", name.Device)
		}
		if !ok {
			unknown = append(unknown, body.Item[i])
			continue
		}
		body.Series[i] = found
	}
	return slices.Compact(unknown), nil
}

// rejectUnknown takes the items given, in ascending order, out of the body and lists them among its rejects.
func rejectUnknown(body *payload.Body, items []int32) {
	n := 0
	for i, item := range body.Item {
		if _, bad := slices.BinarySearch(items, item); bad {
			continue
		}
		body.Series[n], body.TS[n], body.Value[n], body.Item[n] = body.Series[i], body.TS[i], body.Value[i], item
		n++
	}
	body.Series, body.TS, body.Value, body.Item = body.Series[:n], body.TS[:n], body.Value[:n], body.Item[:n]
	body.Rejected += len(items)
	for _, item := range items {
		if len(body.Rejects) == payload.MaxRejects {
			break
		}
		body.Rejects = append(body.Rejects, body.Reject(int(item), "device",
			"is not registered, and registering devices takes the scope devices:write"))
	}
	slices.SortFunc(body.Rejects, func(a, b payload.Reject) int { return a.Index - b.Index })
}

// resolver turns names into series for one request.
type resolver struct {
	registry *devices.Registry
	who      auth.Principal

	device    []byte          // the device selected
	known     devices.Metrics // its series
	wanted    []devices.Name
	index     map[devices.Name]int32 // of wanted
	forbidden bool                   // an item's device is not covered by the token
}

var errNotCovered = errors.New("is not covered by this token")

// Device implements payload.Resolver.
func (r *resolver) Device(id []byte) error {
	r.device = append(r.device[:0], id...)
	if !r.who.SeesAll() && !r.who.Sees(string(id)) {
		r.forbidden = true
		return errNotCovered
	}
	if r.known = r.registry.Metrics(id); r.known.None() {
		return devices.ValidateID(string(id))
	}
	return nil
}

// Series implements payload.Resolver. The placeholder of wanted[i] is -1-i.
func (r *resolver) Series(metric []byte) (int32, error) {
	if id, ok := r.known.Find(metric); ok {
		return id, nil
	}
	name := devices.Name{Device: string(r.device), Metric: string(metric)}
	if i, ok := r.index[name]; ok {
		return -1 - i, nil
	}
	if err := devices.ValidateMetric(name.Metric); err != nil {
		return 0, err
	}
	if r.index == nil {
		r.index = map[devices.Name]int32{}
	}
	i := int32(len(r.wanted))
	r.wanted, r.index[name] = append(r.wanted, name), i
	return -1 - i, nil
}
