package acceptance

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

func TestKeyCreate_MakesAKeyInTheDatabaseOfTheSettings(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	command := p.process("key", "create", "--name=reader", "--device=lab-*", "--scope=readings:read,readings:write")
	key, err := command.Output()
	require.NoError(t, err)
	var me struct {
		Subject         string
		Scopes, Devices []string
	}
	p.token = string(key[:len(key)-1])
	p.call("GET", "/api/auth/me", "", "", &me)
	require.Equal(t, "reader", me.Subject)
	require.Equal(t, []string{"readings:read", "readings:write"}, me.Scopes)
	require.Equal(t, []string{"lab-*"}, me.Devices)
	p.login()
	var list struct {
		Keys []struct {
			Name      string
			CreatedBy string `json:"created_by"`
		}
	}
	p.call("GET", "/api/auth/keys", "", "", &list)
	require.Len(t, list.Keys, 1)
	require.Equal(t, "telltale key create", list.Keys[0].CreatedBy)
}
