package devices

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
)

// Every answer that holds a device shows what the scopes cover, and no more.
func TestDevice_IsShownAsFarAsTheScopesCoverIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.create(t, "a")
	f.report(t, "a", "secret", time.Now(), 42.5)
	for name, test := range map[string]struct {
		scopes         []access.Scope
		device, values bool
	}{
		"admin":                 {[]access.Scope{access.Admin}, true, true},
		"reads both":            {[]access.Scope{access.DevicesRead, access.DevicesWrite, access.ReadingsRead}, true, true},
		"reads devices":         {[]access.Scope{access.DevicesRead, access.DevicesWrite}, true, false},
		"reads readings":        {[]access.Scope{access.DevicesWrite, access.ReadingsRead}, false, false},
		"writes devices":        {[]access.Scope{access.DevicesWrite}, false, false},
		"writes both":           {[]access.Scope{access.DevicesWrite, access.ReadingsWrite}, false, false},
		"reads and posts":       {[]access.Scope{access.DevicesRead, access.DevicesWrite, access.ReadingsWrite}, true, false},
		"reads and posts, both": {[]access.Scope{access.DevicesRead, access.DevicesWrite, access.ReadingsRead, access.ReadingsWrite}, true, true},
	} {
		api := f.as(t, access.Principal{Subject: name, Scopes: test.scopes})
		changed := api.patch("/api/devices/a", `{"name":"A"}`)
		answers := []answer{changed}
		if test.device {
			require.Equal(t, http.StatusOK, changed.status, name)
			require.Contains(t, changed.body, `"name":"A"`)
			answers = append(answers, api.get("/api/devices/a"), api.get("/api/devices"))
		} else {
			require.Equal(t, http.StatusNoContent, changed.status, name)
			require.Empty(t, changed.body, name)
		}
		for _, a := range answers {
			require.Equal(t, test.device, len(a.body) > 0, name)
			if test.values {
				require.Contains(t, a.body, "42.5", name)
				continue
			}
			require.NotContains(t, a.body, "42.5", name)
			if test.device {
				require.Contains(t, a.body, `"last_ts":null,"last_value":null`, name)
			}
		}
	}
}
