// Package saved stores filters of streams in the database, for clients that cannot send a long filter, and serves the API calls
// that manage them.
//
// A saved filter belongs to the user or API key that saved it, and is deleted with it. The package does not know what a stream does
// with a filter.
package saved

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/streaming/filter"
	"telltale/platform/fault"
	"telltale/platform/postgres"
)

const (
	// maxFilters is how many filters one user or API key may have.
	maxFilters = 100
	// maxBytes bounds the size of one filter.
	maxBytes = 1 << 20
	// maxListed is how many filters a list contains, the newest ones.
	maxListed = 1000
)

// Filter is a selection with an id, for a client that cannot send a long selection: a browser's EventSource has only a URL. A nil
// list lets everything through.
type Filter struct {
	// ID is derived from the owner and the lists: a filter that is saved again keeps its id.
	ID      string    `json:"id"`
	Owner   string    `json:"owner"`
	Created time.Time `json:"created_at"`
	filter.Selection
}

// Filters stores saved filters. Each is visible to its owner, and to administrators who see every device. A user's filters are
// deleted with the user, and those of an expired or revoked API key when the next filter is saved.
type Filters struct{ store store }

// NewFilters returns the filters of a database.
func NewFilters(db *postgres.DB) *Filters { return &Filters{store{db}} }

// reachOf returns whose filters the principal may see: its own or, if all is set, everyone's.
func reachOf(p access.Principal) (owner string, all bool) {
	return p.Owner(), p.Can(access.Admin) && p.SeesAll()
}

// Save stores a selection. It returns an Invalid fault when the owner has too many filters, TooLarge when the selection is too
// long, and Unauthenticated for a user who has just been deleted.
func (f *Filters) Save(ctx context.Context, who access.Principal, s filter.Selection) (Filter, error) {
	s = filter.Selection{Devices: canonical(s.Devices), Tags: canonical(s.Tags), Metrics: canonical(s.Metrics)}
	body, err := json.Marshal(s)
	if err != nil {
		return Filter{}, fmt.Errorf("encoding a filter: %w", err)
	}
	if len(body) > maxBytes {
		return Filter{}, fault.New(fault.TooLarge, "a saved filter must have at most %d bytes", maxBytes)
	}
	owner := who.Owner()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s", owner, body))
	id := base64.RawURLEncoding.EncodeToString(sum[:hashBytes])
	if who.IsUser() {
		return f.store.save(ctx, id, owner, &who.Subject, body)
	}
	return f.store.save(ctx, id, owner, nil, body)
}

// hashBytes is how many bytes of the hash an id has.
const hashBytes = 16

func isID(text string) bool {
	hash, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && len(hash) == hashBytes
}

// canonical returns the words in order, and nil for nil.
func canonical(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return words
}

// Find returns a filter. The error is a NotFound fault when it does not exist or the principal may not see it.
func (f *Filters) Find(ctx context.Context, who access.Principal, id string) (Filter, error) {
	if !isID(id) {
		return Filter{}, notFound(id)
	}
	owner, all := reachOf(who)
	return f.store.find(ctx, id, owner, all)
}

// List returns the filters that the principal may see, the newest first, at most maxListed.
func (f *Filters) List(ctx context.Context, who access.Principal) ([]Summary, error) {
	owner, all := reachOf(who)
	return f.store.list(ctx, owner, all)
}

// Delete deletes a filter; streams that use it stay open. Its errors are those of Find.
func (f *Filters) Delete(ctx context.Context, who access.Principal, id string) error {
	if !isID(id) {
		return notFound(id)
	}
	owner, all := reachOf(who)
	return f.store.delete(ctx, id, owner, all)
}
