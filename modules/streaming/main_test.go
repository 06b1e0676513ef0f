package streaming

import (
	"testing"

	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, httpservertest.IgnoreClock()) }
