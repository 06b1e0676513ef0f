package httpapp_test

import (
	"testing"

	"telltale/platform/httpserver/httpservertest"
)

func TestMain(m *testing.M) { httpservertest.Main(m) }
