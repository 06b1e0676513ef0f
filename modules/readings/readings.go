// Package readings is what Telltale exists for: it makes posted readings durable, keeps them small, and answers what they
// were.
//
// A reading is first a part of a batch in the log (Log, Appender). Every instance follows the log in order (Tail) and
// holds its newest part in memory (Window). In the background the log's readings move into chunks (Folder). History is
// chunks and window together, each reading once (scan).
package readings

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"telltale/config"
	"telltale/modules/devices"
	"telltale/platform/fault"
	"telltale/platform/postgres"
)

// Service is the front door: ingest, history, latest, and the removal of devices.
type Service struct {
	db       *postgres.DB
	log      *Log
	tail     *Tail
	window   *Window
	appender *Appender
	folder   *Folder
	registry *devices.Registry

	limits  config.Readings
	queries chan struct{} // a place for each history query that may run at once
	// bucketValues is how many values of a bucket percentiles are made of.
	bucketValues int64
	// months is how many partitions of chunks are known to have been made; a scan finds out when there are more.
	months atomic.Int64
}

// NewService returns the front door to the parts given. queries is how many history queries run at once; it is less than
// the pool has connections, so that history never keeps readings from being stored.
func NewService(
	db *postgres.DB, log *Log, tail *Tail, window *Window, appender *Appender, folder *Folder, registry *devices.Registry,
	limits config.Readings, queries int,
) *Service {
	return &Service{
		db: db, log: log, tail: tail, window: window, appender: appender, folder: folder, registry: registry,
		limits: limits, queries: make(chan struct{}, queries), bucketValues: maxBucketValues,
	}
}

const (
	// The device's row is locked before the log is: whoever registers series of it holds them in that order too.
	lockDevice   = `SELECT FROM devices WHERE id = $1 FOR UPDATE`
	deleteDevice = `DELETE FROM devices WHERE id = $1`
)

// Drop deletes a device with its series and readings. Every instance learns of it by the log; what is stored of the
// readings goes with the next fold. An unknown device is a NotFound fault.
func (s *Service) Drop(ctx context.Context, device string) error {
	err := s.log.withBlock(ctx, func() error {
		return s.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error { return s.drop(ctx, tx, device) })
	})
	if err != nil {
		return fmt.Errorf("deleting device %q: %w", device, err)
	}
	// The deletion stands even if this instance cannot read it back now; the tail sees it later.
	_ = s.tail.advance(ctx)
	return nil
}

func (s *Service) drop(ctx context.Context, tx pgx.Tx, device string) error {
	tag, err := tx.Exec(ctx, lockDevice, device)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "there is no device %q", device)
	}
	if _, err := s.log.Drop(ctx, tx, device); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, deleteDevice, device)
	return err
}

// Fold moves into chunks what this instance's window holds now, and returns the seq up to which everything is folded. When
// another instance is folding it waits for it.
func (s *Service) Fold(ctx context.Context) (seq int64, err error) {
	head := s.window.Head()
	for {
		if err := s.folder.Fold(ctx); err != nil {
			return 0, err
		}
		state, err := s.log.State(ctx)
		if err != nil || state.Folded >= head {
			return state.Folded, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(foldRetry):
		}
	}
}

// foldRetry is how often a fold on demand looks whether the one under way elsewhere has ended.
const foldRetry = 50 * time.Millisecond
