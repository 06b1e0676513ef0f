package readings

import (
	"cmp"
	"context"
	"slices"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/payload"
	"telltale/modules/series"
	"telltale/platform/fault"
)

// Receipt is the answer to an ingest request whose readings are durable.
type Receipt struct {
	// Accepted counts the readings stored that can be read back, by value. Overwritten counts those that a later one of the
	// same request, series and time has taken the place of, Rounded the integers beyond 2^53 that no float64 is.
	Accepted, Overwritten, Rounded int
	// Stamp is that of the batch that holds them; 0 when none was good.
	Stamp int64
	// Rejected counts the items that were not stored; Rejects describes the first of them.
	Rejected int
	Rejects  []payload.Reject
	// Forbidden says that among them are devices that the principal's token does not cover.
	Forbidden bool
}

// Ingest makes the readings of one request durable on behalf of the principal. Without skip it is all or nothing: an Invalid
// fault lists every bad item, a Forbidden one those that the principal's token does not cover. With skip the good ones are
// stored and the others listed. New series are registered, new devices as well if the principal may write devices.
func (s *Service) Ingest(ctx context.Context, who access.Principal, req payload.Request, skip bool) (Receipt, error) {
	if waits := s.window.Stats(); waits.UnfoldedBytes > batchlog.UnfoldedMemory(s.limits.MaxUnfoldedReadings) {
		return Receipt{}, fault.Busy(5*time.Second, nil, "%d readings wait to be folded; send these again later", waits.Unfolded)
	}
	if err := s.tail.Err(); err != nil {
		return Receipt{}, fault.Busy(time.Second, err, "readings cannot be stored until the log can be followed")
	}
	req.Earliest, req.Latest = s.earliest, s.latestTime()
	if !skip {
		req.MaxRejected = payload.MaxRejects
	}
	decoder := payload.Get()
	names := &resolver{registry: s.registry, covered: who.Covers(), reserve: req.Reserve}
	body, err := decoder.Decode(req, names)
	if err = cmp.Or(names.refused, err); err != nil {
		payload.Put(decoder)
		return Receipt{}, err
	}
	if err := s.refuseEnded(ctx, body, names); err != nil {
		payload.Put(decoder)
		return Receipt{}, err
	}
	if (!skip || body.Stopped) && body.Rejected > 0 {
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
func (s *Service) store(ctx context.Context, who access.Principal, body *payload.Body, names *resolver, skip bool) (Receipt, error) {
	if len(names.wanted) > 0 {
		rejected := body.Rejected
		if err := s.register(ctx, who, body, names, skip); err != nil {
			return Receipt{}, err
		}
		if body.Rejected > rejected && !skip {
			return Receipt{}, body.Fault()
		}
	}
	receipt := Receipt{
		Overwritten: body.Overwritten(), Rounded: body.Rounded,
		Rejected: body.Rejected, Rejects: slices.Clone(body.Rejects), Forbidden: names.forbidden,
	}
	if receipt.Accepted = len(body.Series) - receipt.Overwritten; receipt.Accepted == 0 {
		return receipt, nil
	}
	var err error
	receipt.Stamp, err = s.appender.Append(ctx, body.Series, body.TS, body.Value)
	return receipt, err
}

// register replaces the placeholders in the body by the ids of series that exist from now on, and rejects the items that can
// have none: their device is not known and may not be registered, or there is no room for more series. In the latter case
// nothing is registered without skip.
func (s *Service) register(ctx context.Context, who access.Principal, body *payload.Body, names *resolver, skip bool) error {
	wanted := names.inUse(body)
	if len(wanted) == 0 {
		return nil
	}
	if room := s.registry.Room(); len(wanted) > room {
		names.leaveOut(wanted[room:])
		wanted = wanted[:room]
	}
	if skip || len(names.absent) == 0 {
		if err := s.provide(ctx, who, body, names, wanted); err != nil {
			return err
		}
	}
	if items := names.leftOut(body); len(items) > 0 {
		reject(body, items, "", "would make a new series; "+s.registry.Full())
	}
	return nil
}

// provide has the series wanted exist, as far as may be, and puts their ids in the place of the placeholders.
func (s *Service) provide(ctx context.Context, who access.Principal, body *payload.Body, names *resolver, wanted []series.Name) error {
	if len(wanted) > 0 {
		if _, err := s.registry.Register(ctx, wanted, who.Can(access.DevicesWrite)); err != nil {
			return err
		}
	}
	var unknown []int32
	for i, id := range body.Series {
		if id >= 0 || names.absent[id] {
			continue
		}
		name := names.wanted[-1-id]
		found, ok := s.registry.Find(name.Device, name.Metric)
		if !ok && who.Can(access.DevicesWrite) {
			return fault.Busy(time.Second, nil, "device %q is being deleted; send its readings again", name.Device)
		}
		if !ok {
			unknown = append(unknown, body.Item[i])
			continue
		}
		body.Series[i] = found
	}
	if len(unknown) > 0 {
		reject(body, slices.Compact(unknown), "device", "is not registered, and registering devices takes the scope devices:write")
	}
	return nil
}

// reject takes the items given, in ascending order, out of the body and lists them among its rejects.
func reject(body *payload.Body, items []int32, field, reason string) {
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
		body.Rejects = append(body.Rejects, body.Reject(int(item), field, reason))
	}
	slices.SortFunc(body.Rejects, func(a, b payload.Reject) int { return a.Index - b.Index })
}
