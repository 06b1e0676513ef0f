package version

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersion_NamesABuildByItsCommit(t *testing.T) {
	t.Parallel()
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123"}
	changed := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	require.Equal(t, "dev", describe(&debug.BuildInfo{}))
	require.Equal(t, "dev-0123456789ab", describe(&debug.BuildInfo{Settings: []debug.BuildSetting{commit}}))
	require.Equal(t, "dev-0123456789ab+changes", describe(&debug.BuildInfo{Settings: []debug.BuildSetting{commit, changed}}))
	require.Regexp(t, `^telltale dev.* \(go1\.\S+ \w+/\w+\)$`, String())
}
