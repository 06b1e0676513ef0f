package readings_test

import (
	"testing"

	"telltale/modules/schema"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, schema.New(), httpservertest.IgnoreClock()) }
