package password

import (
	"testing"

	"telltale/platform/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
