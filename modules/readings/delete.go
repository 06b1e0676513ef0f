package readings

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telltale/modules/readings/timeparam"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"telltale/modules/auth/access"
	"telltale/modules/devices"
	"telltale/modules/readings/deletion"
	"telltale/modules/readings/instant"
	"telltale/platform/fault"
	"telltale/platform/glob"
	"telltale/platform/httpapi"
)

// Limits of a call that deletes readings.
const (
	maxDeletedDevices = 1000
	maxDeletedMetrics = 10_000
	// maxMasked is how many series, by deletion, may have readings in chunks that are deleted: some 50 MB.
	maxMasked = 1_000_000
)

// removalParameters are those of a call that deletes readings.
var removalParameters = httpapi.Parameters{}.Repeatable("device", "metric").Once("from", "to")

// parseRemoval reads a removal from URL parameters. Nothing is implied: devices are named one by one and the range is
// given, both ends of it. The Invalid fault lists everything that is wrong.
func parseRemoval(asked *httpapi.Query, now time.Time) (deletion.Request, error) {
	p := timeparam.Reader{Query: asked, Now: now, Earliest: instant.Floor}
	r := deletion.Request{Devices: p.Words("device", maxDeletedDevices), Metrics: p.Words("metric", maxDeletedMetrics)}
	if len(r.Devices) == 0 {
		p.Fail("device", "must name at least one device")
	}
	for _, device := range r.Devices {
		if glob.Is(device) {
			p.Fail("device", "%.140q is a pattern; what is to lose readings has to be named by its id", device)
		} else if err := devices.ValidateID(device); err != nil {
			p.Fail("device", "%.140q %v", device, err)
		}
	}
	for _, end := range []string{"from", "to"} {
		if !p.Has(end) {
			p.Fail(end, "must be given: a deletion has no default range")
		}
	}
	r.From, r.To = p.Begin("from", instant.Min), p.End("to", instant.Max+1)
	if r.From >= r.To && p.Faults.Empty() {
		p.Fail("from", "must be before to; %s is not before %s", timeparam.Format(r.From), timeparam.Format(r.To))
	}
	return r, p.Err()
}

// Removed is what became of a removal.
type Removed struct {
	// Seq is its position in the log: readings before it are gone, those after it stay. Without any series that it is about,
	// it is the log's head.
	Seq int64
	// Stamp is that of the batch Seq.
	Stamp int64
	// Readings is how many readings are gone. It is only known once Done.
	Readings int64
	// Done is set once they have left what is stored. Until then answers do without them.
	Done bool
}

// Delete removes readings. The wish itself is durable at once, in the log, where every instance hears of it; from then on
// no answer has the readings. Delete then has them leave chunks, by a fold, but waits no longer for that than a query may
// take: the background does the rest.
func (s *Service) Delete(ctx context.Context, who access.Principal, wish deletion.Request) (done Removed, err error) {
	for _, device := range wish.Devices {
		if !who.Sees(device) {
			return done, fault.New(fault.Forbidden, "your credentials do not cover device %q; nothing was deleted", device)
		}
	}
	select {
	case <-s.tail.Loaded():
	default:
		return done, fault.Busy(time.Second, s.tail.Err(), "readings cannot be deleted until the log has been read")
	}
	if s.window.Stats().Masked > maxMasked {
		return done, fault.Busy(time.Minute, nil, "much that was deleted still has to leave the disk")
	}
	ctx, cancel := context.WithTimeout(ctx, s.limits.QueryTimeout)
	defer cancel()
	if done.Seq, done.Stamp, err = s.mark(ctx, wish); err != nil {
		return done, err
	}
	if done.Seq == 0 {
		done.Done = true
		state, err := s.log.State(ctx)
		done.Seq, done.Stamp = state.Head, state.HeadStamp
		return done, err
	}
	// The deletion stands, even if this instance cannot read it back now.
	if err := s.tail.AdvanceTo(ctx, done.Seq); err != nil {
		return done, fault.Busy(time.Second, err, "the readings are deleted, but this instance cannot follow the log at present and may still show them")
	}
	if done.Readings, done.Done, err = s.runner.CarryOut(ctx, done.Seq); err != nil {
		s.logger.Warn("deleted readings leave chunks with a later fold", zap.Int64("seq", done.Seq), zap.Error(err))
	}
	s.logger.Info("readings were deleted", zap.String("subject", who.Subject), zap.Int64("seq", done.Seq),
		zap.Int("devices", len(wish.Devices)), zap.Strings("metrics", wish.Metrics[:min(len(wish.Metrics), 10)]),
		zap.String("from", timeparam.Format(wish.From)), zap.String("to", timeparam.Format(wish.To)), zap.Int64("readings", done.Readings))
	return done, nil
}

// mark appends the deletion to the log and returns its seq, 0 when there is no series that it is about.
func (s *Service) mark(ctx context.Context, wish deletion.Request) (seq, stamp int64, err error) {
	err = s.log.InTx(ctx, func(tx pgx.Tx) (err error) {
		if err = refuseUnknown(ctx, tx, wish.Devices); err == nil {
			seq, stamp, err = s.log.Delete(ctx, tx, wish)
		}
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("deleting readings: %w", err)
	}
	return seq, stamp, nil
}

const selectUnknown = `SELECT id FROM unnest($1::text[]) AS wanted (id) WHERE NOT EXISTS (SELECT FROM devices WHERE devices.id = wanted.id) LIMIT 1`

// refuseUnknown returns a NotFound fault when one of the devices does not exist: it may be a misspelt one.
func refuseUnknown(ctx context.Context, tx pgx.Tx, ids []string) error {
	var unknown string
	err := tx.QueryRow(ctx, selectUnknown, ids).Scan(&unknown)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("looking devices up: %w", err)
	}
	return fault.New(fault.NotFound, "there is no device %q; nothing was deleted", unknown)
}
