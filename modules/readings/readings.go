// Package readings is the core of Telltale: it makes posted readings durable, stores them compactly, and answers queries about
// them.
//
// This package is the front door: ingest, the deletion of readings and devices, and the API. A reading is first a part of a batch
// in the log, which every instance follows (package batchlog). In the background it moves into a chunk (packages fold and chunk).
// An answer is made of chunks and recent window together, each reading once (packages scan and history).
package readings

import (
	"context"
	"fmt"
	"time"

	"telltale/modules/readings/instant"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/fold"
	"telltale/modules/readings/history"
	"telltale/modules/series"
	"telltale/platform/fault"
	"telltale/platform/postgres"
)

// Service is the front door: ingest, and the removal of readings and devices.
type Service struct {
	db        *postgres.DB
	log       *batchlog.Log
	tail      *batchlog.Tail
	window    *batchlog.Window
	appender  *batchlog.Appender
	runner    *fold.Runner
	registry  *series.Registry
	retention *series.Retention
	history   *history.Engine
	logger    *zap.Logger
	now       func() time.Time

	limits config.Readings
	// earliest is the time before which no reading is taken.
	earliest time.Time
}

// NewService returns the front door to the parts given.
func NewService(p Parts) *Service {
	s := &Service{
		db: p.DB, log: p.Log, tail: p.Tail, window: p.Window, appender: p.Appender, runner: p.Runner, registry: p.Registry,
		retention: p.Retention, history: p.History, limits: p.Limits, logger: p.Logger, now: p.Now, earliest: p.Earliest,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.earliest.IsZero() {
		s.earliest = time.UnixMilli(instant.Floor)
	}
	return s
}

const (
	// The device's row is locked before the log is: a registration of its series locks them in that order too.
	lockDevice      = `SELECT FROM devices WHERE id = $1 FOR UPDATE`
	deleteDeviceRow = `DELETE FROM devices WHERE id = $1`
)

// DeleteDevice deletes a device with its series and readings. Every instance learns of it by the log; what is stored of the
// readings goes with the next fold. An unknown device is a NotFound fault.
func (s *Service) DeleteDevice(ctx context.Context, device string) error {
	err := s.log.InTx(ctx, func(tx pgx.Tx) error { return s.deleteDevice(ctx, tx, device) })
	if err != nil {
		return fmt.Errorf("deleting device %q: %w", device, err)
	}
	// The deletion stands even if this instance cannot read it back now; the tail sees it later.
	_ = s.tail.Advance(ctx)
	return nil
}

func (s *Service) deleteDevice(ctx context.Context, tx pgx.Tx, device string) error {
	tag, err := tx.Exec(ctx, lockDevice, device)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "there is no device %q", device)
	}
	if _, err := s.log.DeleteDevice(ctx, tx, device); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, deleteDeviceRow, device)
	return err
}

// Fold moves into chunks what this instance's window holds now, gives back the disk that readings past their retention take,
// and returns the stamp of the batch up to which everything is folded. When another instance is folding it waits for it.
func (s *Service) Fold(ctx context.Context) (stamp int64, err error) { return s.runner.OnDemand(ctx) }
