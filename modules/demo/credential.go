package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
)

// keyService makes and revokes API keys; keys.Service is one.
type keyService interface {
	Create(ctx context.Context, by access.Principal, key keys.Draft) (keys.Key, string, error)
	Revoke(ctx context.Context, by access.Principal, id string) error
}

// simulatorName is the name of the simulator's own key.
const simulatorName = "demo simulator"

// keyLifetime ends the keys of a simulator that had no chance to revoke them.
const keyLifetime = 24 * time.Hour

var (
	simulatorScopes = []access.Scope{access.DevicesRead, access.DevicesWrite, access.ReadingsRead, access.ReadingsWrite}
	visitorScopes   = []access.Scope{access.DevicesRead, access.ReadingsRead}
)

// operator is the principal that makes the keys: starting the demo takes the rights of the server's owner.
var operator = access.Principal{Subject: "demo", Scopes: []access.Scope{access.Admin}}

// credential is an API key that is made when it is first needed, and again when it has ended. It covers the devices of the
// fleet and no others. It is used by one goroutine at a time.
type credential struct {
	keys   keyService
	name   string
	scopes []access.Scope

	id   string // of the key at hand, empty when there is none
	text string
}

// token returns the key's text.
func (c *credential) token(ctx context.Context) (string, error) {
	if c.id != "" {
		return c.text, nil
	}
	expires := time.Now().Add(keyLifetime)
	key, text, err := c.keys.Create(ctx, operator, keys.Draft{
		Name: c.name, Scopes: c.scopes, Devices: patterns(), ExpiresAt: &expires,
	})
	if err != nil {
		return "", fmt.Errorf("making an API key for the demo: %w", err)
	}
	c.id, c.text = key.ID, text
	return text, nil
}

// renew has the next call of token make another key.
func (c *credential) renew() { c.id, c.text = "", "" }

// revoke ends the key at hand, if there is one.
func (c *credential) revoke(ctx context.Context) error {
	if c.id == "" {
		return nil
	}
	id := c.id
	c.renew()
	if err := c.keys.Revoke(ctx, operator, id); err != nil {
		return fmt.Errorf("revoking the demo's API key: %w", err)
	}
	return nil
}

// patterns returns the patterns that cover the fleet.
func patterns() []string {
	list := make([]string, len(kinds))
	for i, k := range kinds {
		list[i] = strings.Replace(k.id, "%02d", "*", 1)
	}
	return list
}
