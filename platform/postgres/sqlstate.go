package postgres

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/zap/zapcore"

	"telltale/platform/fault"
)

// SQLSTATEs that statements of this program expect and act upon; see appendix A of PostgreSQL's manual.
const (
	ForeignKeyViolation = "23503"
	CheckViolation      = "23514" // also of a row that no partition takes
	readOnly            = "25006"
	unknownStatement    = "26000"
	Deadlock            = "40P01"
	UndefinedTable      = "42P01"
	duplicateStatement  = "42P05"
	tooManyConnections  = "53300"
	LockNotAvailable    = "55P03"
	queryCanceled       = "57014"
)

// again says what becomes better by trying again.
type again int

// What another try can do.
const (
	never     again = iota // it fails the same way: the statement or the program is wrong
	soon                   // the statement may succeed at once: it met another one
	later                  // it succeeds when the server's condition has changed, on the same connection
	elsewhere              // it needs another connection
)

// condition is what an error of the server means to the program: one row of the table.
type condition struct {
	// Kind is how a request ends that meets it.
	Kind fault.Kind
	// Message is for the caller. It is empty for an Internal condition, whose text stays in the log.
	Message string
	// Level is how the log tells of it.
	Level zapcore.Level
	// again says whether trying again helps.
	again again
}

// conditions is the only place that says what a SQLSTATE means, by the whole code or by its class, which is its first two
// characters. A code that is in neither form is a mistake of the program: Internal, an error in the log, not tried again.
var conditions = map[string]condition{
	"08":                {fault.Unavailable, "the database is not available", zapcore.WarnLevel, elsewhere},
	"25P03":             {fault.Unavailable, "the database ended the connection, which was idle in a transaction", zapcore.WarnLevel, elsewhere},
	"25P04":             {fault.Unavailable, "the database ended the transaction, which took too long", zapcore.WarnLevel, elsewhere},
	readOnly:            {fault.Unavailable, "the database is read-only at present", zapcore.ErrorLevel, later},
	"28":                {fault.Unavailable, "the database refuses the credentials it is given", zapcore.ErrorLevel, elsewhere},
	"3D000":             {fault.Unavailable, "the database does not exist", zapcore.ErrorLevel, elsewhere},
	"40":                {fault.Unavailable, "another change came in between", zapcore.WarnLevel, soon},
	"42501":             {fault.Unavailable, "the database does not permit this", zapcore.ErrorLevel, later},
	"53":                {fault.Unavailable, "the database is short of resources", zapcore.ErrorLevel, later},
	"53100":             {fault.Unavailable, "the database has no room left on its disk", zapcore.ErrorLevel, later},
	"53200":             {fault.Unavailable, "the database has no memory left", zapcore.ErrorLevel, later},
	tooManyConnections:  {fault.Unavailable, "the database server has no connection free", zapcore.WarnLevel, later},
	"53400":             {fault.Unavailable, "a limit of the database server is reached", zapcore.WarnLevel, later},
	"55000":             {fault.Unavailable, "the database is not in the state for this", zapcore.WarnLevel, later},
	"55006":             {fault.Unavailable, "what this needs is in use in the database", zapcore.WarnLevel, later},
	LockNotAvailable:    {fault.Unavailable, "a lock in the database is held for too long", zapcore.WarnLevel, later},
	"57":                {fault.Unavailable, "the database ended the statement", zapcore.WarnLevel, later},
	queryCanceled:       {fault.Unavailable, "the database ended the statement, which took too long", zapcore.WarnLevel, later},
	"57P01":             {fault.Unavailable, "the database is shutting down", zapcore.WarnLevel, elsewhere},
	"57P02":             {fault.Unavailable, "the database is restarting after a crash", zapcore.ErrorLevel, elsewhere},
	"57P03":             {fault.Unavailable, "the database is starting", zapcore.WarnLevel, elsewhere},
	"57P04":             {fault.Unavailable, "the database has been dropped", zapcore.ErrorLevel, elsewhere},
	"57P05":             {fault.Unavailable, "the database ended the connection, which was idle", zapcore.WarnLevel, elsewhere},
	"58":                {fault.Unavailable, "the database cannot read or write its files", zapcore.ErrorLevel, later},
	unknownStatement:    {fault.Internal, "", zapcore.ErrorLevel, elsewhere},
	duplicateStatement:  {fault.Internal, "", zapcore.ErrorLevel, elsewhere},
	ForeignKeyViolation: {fault.Internal, "", zapcore.ErrorLevel, soon},
}

// mistake is what every other code means.
var mistake = condition{fault.Internal, "", zapcore.ErrorLevel, never}

// conditionOf returns what a SQLSTATE means to the program.
func conditionOf(code string) condition {
	if c, ok := conditions[code]; ok {
		return c
	}
	if len(code) == 5 {
		if c, ok := conditions[code[:2]]; ok {
			return c
		}
	}
	return mistake
}

// Code returns the SQLSTATE within err, "" when the server has not said one.
func Code(err error) string {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refusal.Code
	}
	return ""
}

// Is reports whether the server has ended a statement with one of the SQLSTATEs given.
func Is(err error, codes ...string) bool {
	found := Code(err)
	for _, code := range codes {
		if found == code {
			return true
		}
	}
	return false
}

// Level returns how the log tells of an error: as the table says for the server's own, as a warning for a database that is
// away, and as an error for everything else.
func Level(err error) zapcore.Level {
	if code := Code(err); code != "" {
		return conditionOf(code).Level
	}
	if fault.KindOf(err) == fault.Unavailable || isOutage(err) {
		return zapcore.WarnLevel
	}
	return zapcore.ErrorLevel
}

// retryAfter is what callers are told who meet a database that is away or in no state to answer: as long as noticing its
// return takes.
const retryAfter = 2 * time.Second

// retryIn returns how long a caller should wait before it tries again.
func (c condition) retryIn() time.Duration {
	if c.again == soon {
		return time.Second
	}
	return retryAfter
}
