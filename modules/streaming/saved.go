package streaming

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"telltale/modules/auth"
	"telltale/platform/fault"
	"telltale/platform/postgres"
)

const (
	// maxSaved is how many filters one user or API key may have.
	maxSaved = 100
	// maxSavedBytes bounds one of them.
	maxSavedBytes = 1 << 20
	// maxListed is how many are listed, the newest ones.
	maxListed = 1000
)

// SavedFilter is a selection with a name, for those who cannot send a long one: a browser's EventSource has only a URL. A nil
// list lets everything through.
type SavedFilter struct {
	// ID is made of the owner and the lists: what is saved again keeps its id.
	ID      string    `json:"id"`
	Owner   string    `json:"owner"`
	Created time.Time `json:"created_at"`
	Selection
}

// Filters keeps saved filters. Each is visible to its owner, and to administrators who see every device. Those of a user go
// with the user, and those of an API key when anybody saves a filter after its end.
type Filters struct{ store savedStore }

// NewFilters returns the filters of a database.
func NewFilters(db *postgres.DB) *Filters { return &Filters{savedStore{db}} }

// accountOf names the user or API key of a principal, or the subject of a token that somebody else has issued.
func accountOf(p auth.Principal) string {
	switch {
	case p.KeyID != "":
		return "key:" + p.KeyID
	case p.IsUser():
		return "user:" + p.Subject
	}
	return "subject:" + p.Subject
}

// reachOf returns whose filters the principal may see: its own or, all being set, everyone's.
func reachOf(p auth.Principal) (owner string, all bool) {
	return accountOf(p), p.Can(auth.Admin) && p.SeesAll()
}

// Save keeps a selection. It returns an Invalid fault when there are too many, TooLarge for one that is too long, and
// Unauthenticated for a user who has just been deleted.
func (f *Filters) Save(ctx context.Context, who auth.Principal, s Selection) (SavedFilter, error) {
	s = Selection{Devices: canonical(s.Devices), Tags: canonical(s.Tags), Metrics: canonical(s.Metrics)}
	body, err := json.Marshal(s)
	if err != nil {
		return SavedFilter{}, fmt.Errorf("encoding a filter: %w", err)
	}
	if len(body) > maxSavedBytes {
		return SavedFilter{}, fault.New(fault.TooLarge, "a saved filter must have at most %d bytes", maxSavedBytes)
	}
	owner := accountOf(who)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s", owner, body))
	id := base64.RawURLEncoding.EncodeToString(sum[:savedHash])
	if who.IsUser() {
		return f.store.save(ctx, id, owner, &who.Subject, body)
	}
	return f.store.save(ctx, id, owner, nil, body)
}

// savedHash is how many bytes of the hash an id has.
const savedHash = 16

func isSavedID(text string) bool {
	hash, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && len(hash) == savedHash
}

// canonical returns the words in order, and nil for nil.
func canonical(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return words
}

// Find returns a filter. One that there is not, or that is somebody else's, is a NotFound fault.
func (f *Filters) Find(ctx context.Context, who auth.Principal, id string) (SavedFilter, error) {
	if !isSavedID(id) {
		return SavedFilter{}, noSaved(id)
	}
	owner, all := reachOf(who)
	return f.store.find(ctx, id, owner, all)
}

// List returns the filters that the principal may see, the newest first, at most maxListed.
func (f *Filters) List(ctx context.Context, who auth.Principal) ([]SavedSummary, error) {
	owner, all := reachOf(who)
	return f.store.list(ctx, owner, all)
}

// Delete deletes a filter; streams that are open by it go on. Errors are those of Find.
func (f *Filters) Delete(ctx context.Context, who auth.Principal, id string) error {
	if !isSavedID(id) {
		return noSaved(id)
	}
	owner, all := reachOf(who)
	return f.store.delete(ctx, id, owner, all)
}
