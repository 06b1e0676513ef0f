package streaming

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// tagsInterval is how often tags that are being filtered by are looked up again: what somebody changes counts after that
// long, at every instance.
const tagsInterval = time.Second

// directory tells which devices have all of the tags now.
type directory interface {
	Tagged(ctx context.Context, tags []string) (map[string]bool, error)
}

// labels holds the sets of tags that viewers filter by. Viewers who ask for the same tags share one.
type labels struct {
	directory directory

	mu   sync.Mutex
	sets map[string]*tagged
}

func newLabels(directory directory) *labels {
	return &labels{directory: directory, sets: map[string]*tagged{}}
}

// tagged is which devices have all of some tags. A device is judged by a lookup made after it was first met, so that one
// which has just been made is not missed, and by what the tags were at most about tagsInterval ago.
type tagged struct {
	from  *labels
	key   string
	tags  []string
	users int // guarded by from.mu

	lookup sync.Mutex // held by whoever looks up

	mu      sync.RWMutex
	members map[string]bool
	met     map[string]bool // devices that have been looked up
}

// join returns the set of the tags, nil when there are none; it has to be left.
func (l *labels) join(tags []string) *tagged {
	if len(tags) == 0 {
		return nil
	}
	tags = sorted(tags)
	key := strings.Join(tags, "/") // which no tag contains
	l.mu.Lock()
	defer l.mu.Unlock()
	set := l.sets[key]
	if set == nil {
		set = &tagged{from: l, key: key, tags: tags, met: map[string]bool{}}
		l.sets[key] = set
	}
	set.users++
	return set
}

// leave forgets the set with its last user.
func (t *tagged) leave() {
	t.from.mu.Lock()
	defer t.from.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(t.from.sets, t.key)
	}
}

// refresh looks every set up again.
func (l *labels) refresh(ctx context.Context) error {
	l.mu.Lock()
	sets := make([]*tagged, 0, len(l.sets))
	for _, set := range l.sets {
		sets = append(sets, set)
	}
	l.mu.Unlock()
	for _, set := range sets {
		if err := set.learn(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func (t *tagged) has(device string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.members[device]
}

// knows reports whether all of the devices have been looked up.
func (t *tagged) knows(devices []string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return !slices.ContainsFunc(devices, func(device string) bool { return !t.met[device] })
}

// learn looks up which devices have the tags, those given among others; without any it looks again.
func (t *tagged) learn(ctx context.Context, devices []string) error {
	t.lookup.Lock()
	defer t.lookup.Unlock()
	if len(devices) > 0 && t.knows(devices) { // somebody has looked while this one waited
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
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
