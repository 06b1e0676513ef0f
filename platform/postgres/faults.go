package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"telltale/platform/fault"
)

// diskFull is the SQLSTATE of a server that has no room left.
const diskFull = "53100"

// The SQLSTATEs of a session that does not have the statement which another one prepared, or has it already: a pooler shares
// sessions out by transaction, and knows nothing of prepared statements.
const (
	unknownStatement   = "26000"
	duplicateStatement = "42P05"
)

// retryAfter is what callers are told who meet a database that is away: as long as noticing its return takes.
const retryAfter = 2 * time.Second

// explain turns an error that says "the database is away" into an Unavailable fault and leaves every other as it is.
// So does a disk that is full: it is nobody's mistake, and over when there is room again. Errors that a pooler causes get the
// setting in front that ends them. ctx is the caller's: what its end has caused is the caller's own doing.
func (db *DB) explain(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || fault.As(err) != nil {
		return err
	}
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pgErr.Code {
		case diskFull:
			return fault.Busy(retryAfter, err, "the database has no room left on its disk")
		case unknownStatement, duplicateStatement:
			return fmt.Errorf("a connection pooler in between does not support prepared statements: set DB_PREPARED_STATEMENTS=false: %w", err)
		}
	}
	if !isOutage(err) {
		return err
	}
	select {
	case db.doubt <- struct{}{}:
	default: // a check is due already
	}
	return fault.Busy(retryAfter, err, "the database is not available")
}

// isOutage reports whether err means that there is no server to talk to, rather than that it did not like a statement.
func isOutage(err error) bool {
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return isOutageCode(pgErr.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false // a net.Error too, but somebody's decision
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, puddle.ErrClosedPool) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// isOutageCode knows the SQLSTATEs of PostgreSQL's appendix A that mean: not here, not now.
func isOutageCode(code string) bool {
	switch code {
	case "57P01", // admin_shutdown
		"57P02", // crash_shutdown
		"57P03", // cannot_connect_now
		"57P05", // idle_session_timeout
		"25P03", // idle_in_transaction_session_timeout
		"53300": // too_many_connections
		return true
	}
	return strings.HasPrefix(code, "08") // connection exceptions
}

// timedOut is the class of whatever took too long: the server may be busy rather than away.
const timedOut = "timeout"

// classify names the kind of err for the health answer, which must not show what a whole error text might.
func classify(err error) string {
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return "SQLSTATE " + pgErr.Code
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
