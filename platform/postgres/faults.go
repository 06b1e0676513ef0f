package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"telltale/platform/fault"
)

// away is what a request is told that meets no database.
const away = "the database is not available"

// explain turns an error that another try may cure into an Unavailable fault, by the table of conditions, and leaves every
// other as it is. Errors that a pooler causes get the setting in front that ends them. ctx is the caller's: what its end has
// caused is the caller's own doing.
func (db *DB) explain(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || fault.As(err) != nil {
		return err
	}
	code := Code(err)
	switch code {
	case "":
		if !isOutage(err) {
			return err
		}
		db.suspect()
		return fault.Busy(retryAfter, err, away)
	case unknownStatement, duplicateStatement:
		return fmt.Errorf("a connection pooler in between does not support prepared statements: set DB_PREPARED_STATEMENTS=false: %w", err)
	}
	condition := conditionOf(code)
	if condition.Kind != fault.Unavailable {
		return err
	}
	if code == readOnly {
		db.refused.Store(true)
	}
	if condition.again == elsewhere || code == readOnly {
		db.suspect()
	}
	return fault.Busy(condition.retryIn(), err, "%s", condition.Message)
}

// suspect has the supervisor look at the database now.
func (db *DB) suspect() {
	select {
	case db.doubt <- struct{}{}:
	default: // a check is due already
	}
}

// isOutage reports whether err means that there is no server to talk to, rather than that it did not like a statement.
func isOutage(err error) bool {
	if code := Code(err); code != "" {
		return conditionOf(code).again == elsewhere && conditionOf(code).Kind == fault.Unavailable || code == tooManyConnections
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false // a net.Error too, but the caller's decision
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, puddle.ErrClosedPool) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// timedOut is the class of what took too long: the server may be busy rather than away.
const timedOut = "timeout"

// classify names the kind of err for the health answer, which must not show what a whole error text might.
func classify(err error) string {
	if code := Code(err); code != "" {
		return "SQLSTATE " + code
	}
	var netErr net.Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return timedOut
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ENOENT):
		return "no such socket"
	case isOutage(err):
		return "connection lost"
	}
	return "other"
}
