package keys

import (
	"testing"

	"telltale/modules/schema"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, schema.New()) }
