package readings

import (
	"testing"

	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
