// Package boards stores the page's boards in the database, and serves the API calls that manage them.
//
// A board is a document of tiles: which series to show, how and where. It contains names and no readings, so a viewer sees no more
// data through it than the viewer's own credentials cover. Names of devices that they do not cover are left out as well.
package boards

import (
	"context"
	"crypto/rand"
	"time"

	"telltale/modules/auth/access"
	"telltale/platform/fault"
	"telltale/platform/postgres"
)

const (
	// maxBoards is how many boards one owner may have.
	maxBoards = 100
	// maxBytes bounds what is sent of one.
	maxBytes = 256 << 10
	// maxListed is how many are listed.
	maxListed = 1000
)

// Summary is a board without its document.
type Summary struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Owner is the user, or the subject of an identity provider's tokens; nil once the user has been deleted.
	Owner *string `json:"owner"`
	// Mine is set for the owner, Editable for those who may change the board.
	Mine     bool `json:"mine"`
	Editable bool `json:"editable"`
	// Shared boards can be seen by everyone who may read readings.
	Shared bool `json:"shared"`
	// Version is one more with each change.
	Version int       `json:"version"`
	Updated time.Time `json:"updated_at"`
}

// Board is a board as a principal may see it.
type Board struct {
	Summary
	Document Document `json:"document"`
	// LeftOut is how many series and selections are missing because the principal does not cover their devices.
	LeftOut int `json:"left_out"`
}

// Draft is what a caller says of a board.
type Draft struct {
	Name     string
	Shared   bool
	Document Document
}

// Boards keeps boards. Each is visible to its owner and, if it is shared, to everyone. It is changed by its owner; a shared one
// also by administrators. An API key owns none: it stands for no person who would come back to it.
type Boards struct{ store store }

// New returns the boards of a database.
func New(db *postgres.DB) *Boards { return &Boards{store{db}} }

// viewer is what the database needs to know of a principal. Both names are nil for an API key.
type viewer struct {
	username, subject *string
	admin             bool
}

func viewerOf(p access.Principal) viewer {
	v := viewer{admin: p.Can(access.Admin)}
	switch {
	case p.KeyID != "":
	case p.IsUser():
		v.username = &p.Subject
	default:
		v.subject = &p.Subject
	}
	return v
}

// List returns the boards that the principal may see in order of their names, at most maxListed.
func (b *Boards) List(ctx context.Context, who access.Principal) ([]Summary, error) {
	return b.store.list(ctx, viewerOf(who))
}

// Get returns a board. One that does not exist, or that the principal may not see, is a NotFound fault.
func (b *Boards) Get(ctx context.Context, who access.Principal, id string) (Board, error) {
	board, err := b.store.find(ctx, viewerOf(who), id)
	if err != nil {
		return Board{}, err
	}
	return visibleTo(who, board), nil
}

// Create keeps a board for the principal. It returns an Invalid fault when the principal has too many, or for a device that it
// does not cover; Forbidden for an API key; and Unauthenticated for a user who has just been deleted.
func (b *Boards) Create(ctx context.Context, who access.Principal, draft Draft) (Board, error) {
	if who.KeyID != "" {
		return Board{}, fault.New(fault.Forbidden, "an API key has no boards of its own: log in as the user who shall own it")
	}
	if err := coversAll(who, draft.Document); err != nil {
		return Board{}, err
	}
	return b.store.insert(ctx, viewerOf(who), rand.Text(), draft)
}

// Replace puts the draft in the place of the version that the caller has read. It returns a Conflict fault when there is a newer
// one, Forbidden unless the principal may change the board and sees all of it, and otherwise the faults of Get and Create.
func (b *Boards) Replace(ctx context.Context, who access.Principal, id string, version int, draft Draft) (Board, error) {
	viewer := viewerOf(who)
	stored, err := b.store.find(ctx, viewer, id)
	if err != nil {
		return Board{}, err
	}
	if err := changeable(stored.Summary); err != nil {
		return Board{}, err
	}
	if hidden := visibleTo(who, stored).LeftOut; hidden > 0 {
		return Board{}, fault.New(fault.Forbidden, "the board has %d series of devices that your credentials do not cover: they would be lost", hidden)
	}
	if err := coversAll(who, draft.Document); err != nil {
		return Board{}, err
	}
	if stored.Version != version {
		return Board{}, outdated(version, stored.Version)
	}
	return b.store.update(ctx, viewer, id, version, draft)
}

// Delete deletes a board. It returns Forbidden unless the principal may change it, and otherwise the faults of Get.
func (b *Boards) Delete(ctx context.Context, who access.Principal, id string) error {
	viewer := viewerOf(who)
	stored, err := b.store.find(ctx, viewer, id)
	if err != nil {
		return err
	}
	if err := changeable(stored.Summary); err != nil {
		return err
	}
	return b.store.delete(ctx, viewer, id)
}

func changeable(board Summary) error {
	if board.Editable {
		return nil
	}
	return fault.New(fault.Forbidden, "only its owner and administrators may change this board: keep a copy of your own")
}

func outdated(given, current int) error {
	return fault.New(fault.Conflict, "the board has version %d by now, and this changes version %d: read it again", current, given)
}
