package postgres

import (
	"errors"
	"fmt"
	"time"

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
}

// transition replaces the status.
func (db *DB) transition(to state, err error) {
	old := db.status.Load()
	next := &status{state: to, since: old.since, version: old.version, err: err}
	if to != old.state {
		next.since = time.Now()
	}
	db.status.Store(next)
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
	case s.state == stateConnected:
		return detail, nil
	case s.err != nil:
		return detail, fmt.Errorf("the database is %s: %s", s.state, classify(s.err))
	}
	return detail, errors.New("the database is " + string(s.state))
}
