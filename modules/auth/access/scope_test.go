package access

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScopes_ReadAndWriteTheFormOfOAuth2(t *testing.T) {
	t.Parallel()
	require.Equal(t, []Scope{"openid", Admin}, SplitScopes("  openid admin "))
	require.Empty(t, SplitScopes(" "))
	require.Equal(t, "devices:read admin", JoinScopes([]Scope{DevicesRead, Admin}))
	require.Equal(t, []Scope{DevicesRead, Admin}, SortedScopes([]Scope{Admin, "openid", DevicesRead, Admin}))
	require.True(t, KnownScopes(AllScopes()))
	require.False(t, KnownScopes([]Scope{DevicesRead, "openid"}))
}

func TestPrincipal_WithAdminHasEveryScope(t *testing.T) {
	t.Parallel()
	reader, admin := Principal{Scopes: []Scope{DevicesRead}}, Principal{Scopes: []Scope{Admin}}
	asked := []Scope{ReadingsRead, DevicesRead}
	require.Equal(t, []Scope{DevicesRead}, reader.Allowed(asked))
	require.Equal(t, asked, admin.Allowed(asked))
	require.Equal(t, []Scope{ReadingsRead, DevicesRead}, asked, "what is asked stays as it is")
	require.False(t, reader.Can(Admin))
	require.True(t, admin.Can(ReadingsDelete))
}

func TestPrincipal_OwnersOfOneNameDiffer(t *testing.T) {
	t.Parallel()
	require.Equal(t, "key:k", Principal{Subject: "anna", KeyID: "k"}.Owner())
	require.Equal(t, "user:anna", Principal{Subject: "anna", Account: "x"}.Owner())
	require.Equal(t, "subject:anna", Principal{Subject: "anna"}.Owner())
}
