package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"telltale/modules/auth"
)

// keys makes and revokes API keys; auth.Keys is one.
type keys interface {
	Create(ctx context.Context, by auth.Principal, key auth.NewKey) (auth.APIKey, string, error)
	Revoke(ctx context.Context, by auth.Principal, id string) error
}

// simulatorName is the name of the simulator's own key.
const simulatorName = "demo simulator"

// keyLifetime ends the keys of a simulator that had no chance to revoke them.
const keyLifetime = 24 * time.Hour

var (
	simulatorScopes = []auth.Scope{auth.DevicesRead, auth.DevicesWrite, auth.ReadingsRead, auth.ReadingsWrite}
	visitorScopes   = []auth.Scope{auth.DevicesRead, auth.ReadingsRead}
)

// operator is the principal that makes the keys: starting the demo takes the rights of the server's owner.
var operator = auth.Principal{Subject: "demo", Scopes: []auth.Scope{auth.Admin}}

// access is an API key that is made when it is first needed, and again when it has ended. It covers the devices of the
// fleet and no others. It is used by one goroutine at a time.
type access struct {
	keys   keys
	name   string
	scopes []auth.Scope

	id   string // of the key at hand, empty when there is none
	text string
}

// token returns the key's text.
func (a *access) token(ctx context.Context) (string, error) {
	if a.id != "" {
		return a.text, nil
	}
	expires := time.Now().Add(keyLifetime)
	key, text, err := a.keys.Create(ctx, operator, auth.NewKey{
		Name: a.name, Scopes: a.scopes, Devices: patterns(), ExpiresAt: &expires,
	})
	if err != nil {
		return "", fmt.Errorf("making an API key for the demo: %w", err)
	}
	a.id, a.text = key.ID, text
	return text, nil
}

// renew has the next call of token make another key.
func (a *access) renew() { a.id, a.text = "", "" }

// revoke ends the key at hand, if there is one.
func (a *access) revoke(ctx context.Context) error {
	if a.id == "" {
		return nil
	}
	id := a.id
	a.renew()
	if err := a.keys.Revoke(ctx, operator, id); err != nil {
		return fmt.Errorf("revoking the demo's API key: %w", err)
	}
	return nil
}

// patterns returns the globs that cover the fleet.
func patterns() []string {
	list := make([]string, len(kinds))
	for i, k := range kinds {
		list[i] = strings.Replace(k.id, "%02d", "*", 1)
	}
	return list
}
