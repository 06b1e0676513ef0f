package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"telltale/config"
	"telltale/platform/postgres"
	"telltale/platform/postgres/embedded"
)

// stopLimit is how long an embedded server that was started for a migration may take to stop.
const stopLimit = 10 * time.Second

// Migrate brings the schema of the database that cfg describes up to date and writes which steps it took. The embedded
// server is started for it, which is an error while an instance of Telltale runs it.
func Migrate(ctx context.Context, w io.Writer, cfg config.Config) (err error) {
	db := cfg.DB
	if db.Embedded() {
		server := embedded.New(embedded.Options{Dir: cfg.DataDir, MaxConnections: db.MaxConnections})
		if err := server.Start(ctx); err != nil {
			return fmt.Errorf("starting the embedded database: %w", err)
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
			defer cancel()
			err = errors.Join(err, server.Stop(ctx))
		}()
		db = server.Config(db)
	}
	steps, err := postgres.Migrate(ctx, db)
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
