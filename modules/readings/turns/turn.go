package turns

import "context"

// Turn is a query's time to run, with a permit of the gate, which it gives back while it waits for its client. It is used by one
// goroutine at a time.
type Turn struct {
	gate  *Gate
	user  string
	small bool
	taken bool
}

// Turn returns a turn of a user, without a permit yet.
func (g *Gate) Turn(user string) *Turn { return &Turn{gate: g, user: user} }

// Take waits for a permit, as a small query or a large one. A turn that has a permit keeps it, unless it turns out to be
// large: then it waits for another. The errors are ErrFull, ErrShare and the context's; then it has no permit.
func (t *Turn) Take(ctx context.Context, small bool) error {
	if t.taken && (small || !t.small) {
		return nil
	}
	t.Leave()
	t.small = small
	return t.enter(ctx, false)
}

// Again waits for a permit of the same kind as before, before those of its user that had none, and until the context ends.
func (t *Turn) Again(ctx context.Context) error { return t.enter(ctx, true) }

func (t *Turn) enter(ctx context.Context, again bool) error {
	err := t.gate.enter(ctx, t.user, t.small, again)
	t.taken = err == nil
	return err
}

// Leave gives the permit back, if there is one.
func (t *Turn) Leave() {
	if t.taken {
		t.taken = false
		t.gate.leave(t.user, t.small)
	}
}
