package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrefix_IsAnAddressOrARange(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"10.0.0.1":         "10.0.0.1/32",
		"10.0.0.1/8":       "10.0.0.0/8",
		"0.0.0.0/0":        "0.0.0.0/0",
		"FD00::1":          "fd00::1/128",
		"fd00::/8":         "fd00::/8",
		"::ffff:10.0.0.1":  "10.0.0.1/32",
		"192.168.1.128/25": "192.168.1.128/25",
	} {
		got, err := prefix(given)
		require.NoError(t, err, given)
		require.Equal(t, want, got.String())
	}
	for _, given := range []string{
		"", "nginx", "10.0.0", "10.0.0.1:80", "[::1]", "10.0.0.0/33", "10.0.0.0/", "/8", "::1/129", "::ffff:10.0.0.0/104", "fe80::1%eth0", "*",
	} {
		_, err := prefix(given)
		require.Error(t, err, given)
	}
}
