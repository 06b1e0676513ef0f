package users

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/modules/auth/access"
	"telltale/modules/auth/clocktest"
	"telltale/modules/auth/password"
	"telltale/modules/schema"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, schema.New()) }

// cheapParams make a hash in a fraction of a millisecond.
var cheapParams = argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// everyone may do everything.
var everyone = access.Principal{Subject: "root", Scopes: []access.Scope{access.Admin}}

// countingHasher counts the hashes that are computed.
type countingHasher struct {
	*password.Hasher
	count atomic.Int64
}

func (h *countingHasher) Hash(ctx context.Context, text string) (string, error) {
	h.count.Add(1)
	return h.Hasher.Hash(ctx, text)
}

func (h *countingHasher) Compare(text, hash string) (bool, error) {
	h.count.Add(1)
	return h.Hasher.Compare(text, hash)
}

// service is one with a clock and a hasher of its own.
type service struct {
	*Service
	t      *testing.T
	db     *postgres.DB
	clock  *clocktest.Clock
	hasher *countingHasher
}

func newService(t *testing.T, db *postgres.DB) service {
	clock, hasher := clocktest.New(), &countingHasher{Hasher: password.NewHasher(cheapParams)}
	return service{New(db, hasher, clock.Now, zap.NewNop()), t, db, clock, hasher}
}

// create adds a user whose password is "a good password".
func (s service) create(username string, devices []string, scopes ...access.Scope) {
	s.t.Helper()
	_, err := s.Create(s.t.Context(), everyone, Draft{Username: username, Password: "a good password", Scopes: scopes, Devices: devices})
	require.NoError(s.t, err)
}
