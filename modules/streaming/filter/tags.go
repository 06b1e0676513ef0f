package filter

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// lookupTimeout bounds one lookup of tags.
const lookupTimeout = 30 * time.Second

// directory tells which devices have all of the tags now.
type directory interface {
	Tagged(ctx context.Context, tags []string) (map[string]bool, error)
}

// TagSets holds the sets of tags that viewers filter by. Viewers that filter by the same tags share one.
type TagSets struct {
	directory directory

	mu   sync.Mutex
	sets map[string]*TagSet
}

// NewTagSets returns no sets yet.
func NewTagSets(directory directory) *TagSets {
	return &TagSets{directory: directory, sets: map[string]*TagSet{}}
}

// TagSet knows which devices have all of some tags. It decides about a device by a lookup that began after the device was first
// seen, so that a new device is not missed, and that is no older than the last Refresh.
type TagSet struct {
	from  *TagSets
	key   string
	tags  []string
	users int // guarded by from.mu

	lookup sync.Mutex // held during a lookup

	mu      sync.RWMutex
	members map[string]bool
	met     map[string]bool // devices that have been looked up
}

// Join returns the set of the tags, nil when there are none. The caller has to call Leave.
func (s *TagSets) Join(tags []string) *TagSet {
	if len(tags) == 0 {
		return nil
	}
	tags = slices.Sorted(slices.Values(tags))
	key := strings.Join(tags, "/") // which no tag contains
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.sets[key]
	if set == nil {
		set = &TagSet{from: s, key: key, tags: tags, met: map[string]bool{}}
		s.sets[key] = set
	}
	set.users++
	return set
}

// Leave ends one use of the set. After the last one TagSets removes it.
func (t *TagSet) Leave() {
	t.from.mu.Lock()
	defer t.from.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(t.from.sets, t.key)
	}
}

// Refresh looks up every set again.
func (s *TagSets) Refresh(ctx context.Context) error {
	s.mu.Lock()
	sets := make([]*TagSet, 0, len(s.sets))
	for _, set := range s.sets {
		sets = append(sets, set)
	}
	s.mu.Unlock()
	for _, set := range sets {
		if err := set.learn(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func (t *TagSet) has(device string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.members[device]
}

// knows reports whether lookups have covered all of the devices.
func (t *TagSet) knows(devices []string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return !slices.ContainsFunc(devices, func(device string) bool { return !t.met[device] })
}

// learn looks up which devices have the tags, and records that the lookup covers the given devices. Without devices it always
// queries the database.
func (t *TagSet) learn(ctx context.Context, devices []string) error {
	t.lookup.Lock()
	defer t.lookup.Unlock()
	if len(devices) > 0 && t.knows(devices) { // another goroutine has looked them up meanwhile
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	members, err := t.from.directory.Tagged(ctx, t.tags)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.members = members
	for _, device := range devices {
		t.met[device] = true
	}
	return nil
}
