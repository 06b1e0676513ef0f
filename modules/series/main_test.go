package series

import (
	"testing"

	"telltale/modules/schema"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, schema.New()) }

// fixture is a registry over a database of its own.
type fixture struct {
	db       *postgres.DB
	registry *Registry
}

func newFixture(t testing.TB) *fixture {
	db := pgtest.New(t)
	return &fixture{db, NewRegistry(db)}
}
