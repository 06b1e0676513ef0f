//go:build e2e

package acceptance

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// wordingOf returns a text of the page that is made of others, by its key in js/text/en.js, as "keys.revokeOne".
func wordingOf(t *testing.T, key string, of ...string) string {
	t.Helper()
	given, err := json.Marshal(of)
	require.NoError(t, err)
	out, err := exec.Command("node", "--input-type=module", "--eval", `
		import {text} from '`+"file://"+absolute("../dashboard/web/js/text/en.js")+`'
		const found = `+quote(key)+`.split('.').reduce((part, name) => part[name], text)
		console.log(JSON.stringify(found(...`+string(given)+`)))`).Output()
	require.NoError(t, err, key)
	var said string
	require.NoError(t, json.Unmarshal(out, &said))
	return said
}
