package batchlog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"telltale/platform/fault"
	"telltale/platform/postgres"
)

const (
	// stallPatience is how long one step on the log may take before this instance counts as not ready.
	stallPatience = 5 * time.Second
	// proofInterval is how often an instance that has nothing to append proves that it could.
	proofInterval = time.Second
	// proofLimit bounds a statement of a proof.
	proofLimit = 2 * time.Second
	// doubts is how many proofs in a row have to fail: another instance may be appending, or be attaching a block.
	doubts = 3
	// failureCounts is how long a commit that has failed counts although proofs succeed: they write nothing.
	failureCounts = 10 * time.Second
)

const (
	// The mode is that of an insert, in which even a server that is read-only grants it.
	lockLikeAppend = `LOCK TABLE reading_log IN ROW EXCLUSIVE MODE NOWAIT`
	tryAppendLock  = `SELECT pg_try_advisory_xact_lock($1)`
)

// errHeld says that the log is locked by a session that is not one of an append, or by one that hangs.
func errHeld(cause error) error {
	return fault.Busy(time.Second, cause, "the log is locked by another session")
}

// prove returns nil when a batch could be appended now. It writes nothing.
func (l *Log) prove(ctx context.Context) error {
	return l.db.InTx(postgres.WithLimit(ctx, proofLimit), pgx.TxOptions{}, func(tx pgx.Tx) error {
		ctx := postgres.WithLimit(ctx, proofLimit)
		if _, err := tx.Exec(ctx, lockLikeAppend); postgres.Is(err, postgres.LockNotAvailable) {
			return errHeld(err)
		} else if err != nil {
			return fmt.Errorf("proving that the log can be appended to: %w", err)
		}
		var free bool
		if err := tx.QueryRow(ctx, tryAppendLock, int64(appendLock)).Scan(&free); err != nil {
			return fmt.Errorf("proving that the log can be appended to: %w", err)
		}
		if !free {
			return errHeld(nil)
		}
		return nil
	})
}
