package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
	"telltale/platform/cli"
	"telltale/platform/postgres"
)

// key are the subcommands for API keys.
type key struct {
	Create createKey `command:"create" description:"Make an API key in the database that the settings name, and print it, once."`
}

type createKey struct {
	Name    string   `long:"name" description:"What lists call the key; a single device's id if absent."`
	Devices []string `long:"device" description:"Device id or pattern (greenhouse-*) that the key covers; repeat it for several. All if absent."`
	Scopes  []string `long:"scope" required:"yes" description:"What the key may do: devices:read, devices:write, readings:read, readings:write, readings:delete, admin; repeat it or separate by commas."`
}

func (c createKey) Execute([]string) error {
	c.Devices, c.Scopes = separated(c.Devices), separated(c.Scopes)
	if c.Name == "" && len(c.Devices) != 1 {
		return errors.New("--name is needed, unless --device names a single device")
	}
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	ctx, cancel := untilSignal()
	defer cancel()
	return cli.Connect(ctx, cfg, func(ctx context.Context, db cli.Connection) error {
		text, err := keys.New(db, time.Now, zap.NewNop()).CreateByOperator(ctx, c.draft())
		if postgres.Code(err) == postgres.UndefinedTable {
			return fmt.Errorf("the database has no tables of Telltale yet: start telltale once, or run telltale migrate (%w)", err)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "This API key is shown only now:")
		_, err = fmt.Println(text)
		return err
	})
}

// draft returns the key that the flags describe.
func (c createKey) draft() keys.Draft {
	draft := keys.Draft{Name: c.Name, Devices: c.Devices, Scopes: make([]access.Scope, len(c.Scopes))}
	if draft.Name == "" {
		draft.Name = c.Devices[0]
	}
	for i, scope := range c.Scopes {
		draft.Scopes[i] = access.Scope(strings.TrimSpace(scope))
	}
	return draft
}
