package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"telltale/config"
	"telltale/platform/postgres"
)

// stopLimit is how long an embedded server that was started for a command may take to stop.
const stopLimit = 10 * time.Second

// Migrate brings the database that cfg describes up to the schema and writes which steps it took. The embedded
// server is started for it, which is an error while an instance of Telltale runs it.
func Migrate(ctx context.Context, w io.Writer, cfg config.Config, schema *postgres.Schema) (err error) {
	db := cfg.DB
	if db.Embedded() {
		var stop func() error
		if db, stop, err = startEmbedded(ctx, cfg); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	steps, err := postgres.Migrate(ctx, db, schema)
	if err != nil {
		return err
	}
	return report(w, steps)
}

func report(w io.Writer, steps []postgres.Migration) error {
	if len(steps) == 0 {
		_, err := fmt.Fprintln(w, "the schema is up to date")
		return err
	}
	for _, step := range steps {
		if _, err := fmt.Fprintf(w, "migrated to version %d: %s (%s)\n", step.Version, step.Name, step.Duration.Round(time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}
