package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"telltale/config"
	"telltale/platform/postgres"
	"telltale/platform/postgres/embedded"
)

// Connection is one connection to the database, for commands that need no pool.
type Connection struct{ *pgx.Conn }

// InTx runs do in a transaction, which commits unless do returns an error.
func (c Connection) InTx(ctx context.Context, options pgx.TxOptions, do func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, c.Conn, options, do)
}

// Connect runs do with a connection to the database that cfg describes. An embedded server is the one of the instance that
// runs on the data folder, or, when none runs, is started for as long as do takes.
func Connect(ctx context.Context, cfg config.Config, do func(context.Context, Connection) error) (err error) {
	db := cfg.DB
	if db.Embedded() {
		var stop func() error
		if db, stop, err = shareEmbedded(ctx, cfg); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	cc, err := postgres.ConnConfig(db)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, cc)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return do(ctx, Connection{conn})
}

// shareEmbedded returns the settings of the embedded server, and what ends it if it was started here.
func shareEmbedded(ctx context.Context, cfg config.Config) (config.DB, func() error, error) {
	db, running, err := embedded.Running(cfg.DataDir, cfg.DB)
	if err != nil {
		return db, nil, err
	}
	if running {
		return db, func() error { return nil }, nil
	}
	return startEmbedded(ctx, cfg)
}

// startEmbedded starts the embedded server, which is an error while an instance of Telltale runs it, and returns its
// settings and what stops it.
func startEmbedded(ctx context.Context, cfg config.Config) (config.DB, func() error, error) {
	server := embedded.New(embedded.Options{Dir: cfg.DataDir, MaxConnections: cfg.DB.MaxConnections})
	if err := server.Start(ctx); err != nil {
		return cfg.DB, nil, fmt.Errorf("starting the embedded database: %w", err)
	}
	stop := func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		return server.Stop(ctx)
	}
	return server.Config(cfg.DB), stop, nil
}
