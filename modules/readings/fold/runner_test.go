package fold

import (
	"testing"
	"time"

	"telltale/config"

	"github.com/stretchr/testify/require"
)

func TestRunner_FoldsAtMultiplesOfTheInterval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		interval  time.Duration
		now, next string
	}{
		{time.Hour, "2026-10-05T13:20:00Z", "2026-10-05T14:00:30Z"},
		{time.Hour, "2026-10-05T14:00:10Z", "2026-10-05T14:00:30Z"},
		{time.Hour, "2026-10-05T14:00:30Z", "2026-10-05T15:00:30Z"},
		{24 * time.Hour, "2026-10-05T00:30:00Z", "2026-10-05T01:00:30Z"},
		{24 * time.Hour, "2026-10-05T01:00:30Z", "2026-10-06T01:00:30Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		require.NoError(t, err)
		f := Runner{limits: config.Readings{FoldInterval: c.interval}}
		require.Equal(t, c.next, f.next(now).UTC().Format(time.RFC3339), c.now)
	}
}
