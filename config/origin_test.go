package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrigin_IsWrittenAsBrowsersSendIt(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"*":                       "*",
		"HTTPS://Dash.Example":    "https://dash.example",
		"https://a.example:443":   "https://a.example",
		"http://a.example:80":     "http://a.example",
		"http://a.example:443":    "http://a.example:443",
		"http://[::1]:3000":       "http://[::1]:3000",
		"capacitor://localhost":   "capacitor://localhost",
		"http://192.168.1.9:5173": "http://192.168.1.9:5173",
	} {
		got, err := origin(given)
		require.NoError(t, err, given)
		require.Equal(t, want, got)
	}
	for _, given := range []string{
		"", "a.example", "//a.example", "https://", "https://a.example/", "https://a.example?x", "https://a.example#x",
		"https://u@a.example", "https://a.example:", "https://a.example:0", "https://a.example:99999", "https://*.example", "null", "mailto:a",
	} {
		_, err := origin(given)
		require.Error(t, err, given)
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add("https://A.example:443")
	f.Add("http://[::1]:80")
	f.Fuzz(func(t *testing.T, text string) {
		once, err := origin(text)
		if err != nil {
			return
		}
		twice, err := origin(once)
		require.NoError(t, err)
		require.Equal(t, once, twice)
	})
}
