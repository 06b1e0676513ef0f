package postgres

import (
	"time"

	"go.uber.org/zap"

	"telltale/platform/fault"
	"telltale/platform/health"
)

// state is what the supervisor believes about the database.
type state string

const (
	stateConnecting state = "connecting" // not connected yet since Start
	stateConnected  state = "connected"
	stateLost       state = "lost"
	stateClosed     state = "closed"
)

// status is an immutable snapshot; the supervisor replaces it.
type status struct {
	state   state
	since   time.Time
	version string // the server's, as far as known
	err     error  // why the state is not connected

	readOnly      string // why the database takes no writes, "" when it does
	readOnlySince time.Time
}

// transition replaces the status.
func (db *DB) transition(to state, err error) {
	old := db.status.Load()
	next := &status{state: to, since: old.since, version: old.version, err: err, readOnly: old.readOnly, readOnlySince: old.readOnlySince}
	if to != old.state {
		next.since = time.Now()
	}
	db.status.Store(next)
}

// PoolUse is how the connections of the pool are used.
type PoolUse struct {
	InUse, Idle, Max int
	// Waits counts the statements that had to wait for a free connection, Waited is for how long altogether; both since the pool
	// was opened.
	Waits  int64
	Waited time.Duration
}

// Use returns how the pool is used, and false while there is none.
func (db *DB) Use() (PoolUse, bool) {
	pool := db.pool.Load()
	if pool == nil {
		return PoolUse{}, false
	}
	stat := pool.Stat()
	return PoolUse{
		InUse: int(stat.AcquiredConns()), Idle: int(stat.IdleConns()), Max: int(stat.MaxConns()),
		Waits: stat.EmptyAcquireCount(), Waited: stat.EmptyAcquireWaitTime(),
	}, true
}

// Probe answers from the supervisor's last look at the database, which is at most a few seconds old.
func (db *DB) Probe() health.Probe {
	return health.Probe{Name: "database", Check: db.check}
}

func (db *DB) check() (map[string]any, error) {
	s := db.status.Load()
	detail := map[string]any{"state": string(s.state)}
	if s.version != "" {
		detail["version"] = s.version
	}
	if s.err != nil {
		detail["error"] = classify(s.err)
	}
	if pool := db.pool.Load(); pool != nil {
		stat := pool.Stat()
		detail["pool"] = map[string]any{
			"total":    stat.TotalConns(),
			"idle":     stat.IdleConns(),
			"acquired": stat.AcquiredConns(),
			"max":      stat.MaxConns(),
		}
	}
	switch {
	case s.state == stateConnected && s.readOnly != "":
		detail["read_only"] = s.readOnly
		return detail, &health.Failing{Since: s.readOnlySince, Err: fault.Busy(retryAfter, nil, "the database takes no writes: %s", s.readOnly)}
	case s.state == stateConnected:
		return detail, nil
	case s.err != nil:
		return detail, &health.Failing{Since: s.since, Err: fault.Busy(retryAfter, s.err, "the database is %s: %s", s.state, classify(s.err))}
	}
	return detail, &health.Failing{Since: s.since, Err: fault.Busy(retryAfter, nil, "the database is %s", s.state)}
}

// noteReadOnly takes in why the database takes no writes, "" when it does. Sessions of the pool that were opened meanwhile may
// be read-only for good, and are closed.
func (db *DB) noteReadOnly(why string) {
	old := db.status.Load()
	if why == old.readOnly {
		return
	}
	next := *old
	next.readOnly, next.readOnlySince = why, time.Now()
	db.status.Store(&next)
	if why != "" {
		db.log.Error("the database takes no writes", zap.String("reason", why))
		return
	}
	db.log.Info("the database takes writes again")
	if pool := db.pool.Load(); pool != nil {
		pool.Reset()
	}
}
