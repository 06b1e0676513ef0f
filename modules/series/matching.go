package series

import (
	"context"
	"slices"
	"strings"

	"telltale/platform/glob"
)

// Devices returns, sorted, the ids of every device within the set that has a series and that keep lets through. It looks
// only at those ids which begin as the set's names and patterns do, holds no lock while it matches and while it calls keep,
// and ends with the context.
func (r *Registry) Devices(ctx context.Context, within *glob.Set, keep func(id string) bool) ([]string, error) {
	known, _ := r.knownDevices()
	if within == nil {
		return appendMatching(ctx, nil, known, "", keep)
	}
	var ids []string
	var err error
	prefixes := within.Prefixes()
	for _, prefix := range prefixes {
		ids, err = appendMatching(ctx, ids, known.from(prefix), prefix, func(id string) bool { return within.Has(id) && keep(id) })
		if err != nil {
			return nil, err
		}
	}
	found := len(ids)
	for _, name := range within.Names() {
		if r.has(name) && !begins(name, prefixes) && keep(name) {
			ids = append(ids, name)
		}
	}
	if found > 0 && found < len(ids) {
		slices.Sort(ids)
	}
	return ids, ctx.Err()
}

// appendMatching appends those of the ids, which ascend, that begin with the prefix and that keep lets through.
func appendMatching(ctx context.Context, ids []string, known ordered[deviceID], prefix string, keep func(string) bool) ([]string, error) {
	for _, block := range known {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, id := range block {
			if !strings.HasPrefix(string(id), prefix) {
				return ids, nil
			}
			if keep(string(id)) {
				ids = append(ids, string(id))
			}
		}
	}
	return ids, nil
}

// begins reports whether the name begins with one of the prefixes, which ascend and of which none begins with another.
func begins(name string, prefixes []string) bool {
	i, found := slices.BinarySearch(prefixes, name)
	return found || i > 0 && strings.HasPrefix(name, prefixes[i-1])
}

// has reports whether the device has a series.
func (r *Registry) has(device string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.devices[device]) > 0
}
