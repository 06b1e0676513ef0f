package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"telltale/platform/retry"
)

const (
	// keepAliveInterval is the longest silence before the connection is asked whether it still lives.
	keepAliveInterval = 5 * time.Second
	keepAliveTimeout  = 5 * time.Second
	// trialTimeout is how long a pooler may take to deliver a notification before it is taken for unable to.
	trialTimeout = 5 * time.Second
	// unableInterval is the pause before a pooler that was unable is tried again.
	unableInterval = time.Minute
)

// errUnable is the end of a session with a pooler that accepts LISTEN and delivers nothing.
var errUnable = errors.New("a connection pooler in between delivers no notifications")

// Listener rings a bell when a channel is notified. It listens on a connection of its own, beside the pool.
//
// A ring says "have a look": one may stand for several notifications, and because notifications are missed while there is
// no connection, every new connection rings too. Where LISTEN does not work (PgBouncer in transaction mode) nothing ever
// rings but the attempts, and Listening is false: look by yourself from time to time.
type Listener struct {
	db      *DB
	channel string
	ring    func(payload string)

	listening atomic.Bool
	cancel    context.CancelFunc
	running   sync.WaitGroup
	missed    bool // the log says that notifications are missing; used by run's goroutine alone
}

// NewListener returns a listener that is not listening yet. Ring is called from one goroutine, and must not block. It is
// given what the notification says, or nothing when it rings for a new connection.
func NewListener(db *DB, channel string, ring func(payload string)) *Listener {
	return &Listener{db: db, channel: channel, ring: ring}
}

// Start begins to listen as soon as the database is ready. It does not wait for that, and never returns an error.
func (l *Listener) Start(ctx context.Context) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	l.running.Go(func() { l.run(background) })
	return nil
}

// Stop ends listening. Ring is not called after it has returned.
func (l *Listener) Stop(context.Context) error {
	if l.cancel != nil {
		l.cancel()
		l.running.Wait()
		l.cancel = nil
	}
	return nil
}

// Listening reports whether notifications ring at present.
func (l *Listener) Listening() bool { return l.listening.Load() }

func (l *Listener) run(ctx context.Context) {
	select {
	case <-l.db.Ready():
	case <-ctx.Done():
		return
	}
	pause := firstBackoff
	for {
		began := time.Now()
		err := l.session(ctx)
		l.listening.Store(false)
		if ctx.Err() != nil {
			return
		}
		l.logMissing(err)
		if time.Since(began) > maxBackoff {
			pause = firstBackoff
		}
		wait := pause
		if errors.Is(err, errUnable) {
			wait = unableInterval
		}
		if retry.Pause(ctx, wait) != nil {
			return
		}
		pause = min(2*pause, maxBackoff)
	}
}

// session listens on one connection until it is lost or ctx ends.
func (l *Listener) session(ctx context.Context) error {
	conn, err := l.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	if err := l.begin(ctx, conn); err != nil {
		return err
	}
	l.listening.Store(true)
	l.logBack()
	l.ring("")
	for {
		payload, err := l.awaitNotification(ctx, conn)
		if err != nil {
			return err
		}
		l.ring(payload)
	}
}

// begin has a new connection listen, within the limit of two statements: behind a pooler there are some more.
func (l *Listener) begin(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, trialTimeout+2*l.db.Limit())
	defer cancel()
	if err := l.tryPooler(ctx, conn); err != nil {
		return err
	}
	return wrap("listen", l.listen(ctx, conn))
}

func (l *Listener) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, l.db.cfg.ConnectionTimeout)
	defer cancel()
	conn, err := l.db.connectBeside(ctx)
	return conn, wrap("connect to listen", err)
}

// awaitNotification returns what the next notification says. A connection that is silent is asked for a sign of life, so
// that a connection which was cut silently is noticed.
func (l *Listener) awaitNotification(ctx context.Context, conn *pgx.Conn) (payload string, err error) {
	for {
		bounded, cancel := context.WithTimeout(ctx, keepAliveInterval)
		notification, err := conn.WaitForNotification(bounded)
		silent := bounded.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil {
			return notification.Payload, nil
		}
		if !silent || conn.IsClosed() {
			return "", fmt.Errorf("wait for a notification: %w", err)
		}
		if err := l.ping(ctx, conn); err != nil {
			return "", fmt.Errorf("ask a silent connection for a sign of life: %w", err)
		}
	}
}

// ping listens again, which changes nothing: pg_stat_activity goes on to tell what the connection is for.
func (l *Listener) ping(ctx context.Context, conn *pgx.Conn) error {
	bounded, cancel := context.WithTimeout(ctx, keepAliveTimeout)
	defer cancel()
	return l.listen(bounded, conn)
}

func (l *Listener) listen(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{l.channel}.Sanitize())
	return err
}

// tryPooler returns errUnable when there is a pooler between us and the server through which no notification comes.
//
// A pooler shows itself by naming another process than the server does. The trial uses a channel of a random name,
// because a LISTEN through a pooler stays behind on a connection that is not ours.
func (l *Listener) tryPooler(ctx context.Context, conn *pgx.Conn) error {
	var pid uint32
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return fmt.Errorf("look for a pooler: %w", err)
	}
	if pid == conn.PgConn().PID() {
		return nil
	}
	trial := pgx.Identifier{"telltale_trial_" + strings.ToLower(rand.Text())}
	if _, err := conn.Exec(ctx, "LISTEN "+trial.Sanitize()); err != nil {
		return fmt.Errorf("try to listen through a pooler: %w", err)
	}
	// From another connection: on the same one even a pooler that discards notifications may deliver this.
	if _, err := l.db.Exec(ctx, "SELECT pg_notify($1, '')", trial[0]); err != nil {
		return fmt.Errorf("try to notify through a pooler: %w", err)
	}
	bounded, cancel := context.WithTimeout(ctx, trialTimeout)
	_, err := conn.WaitForNotification(bounded)
	timedOut := bounded.Err() != nil && ctx.Err() == nil
	cancel()
	if err != nil && !timedOut {
		return fmt.Errorf("try to listen through a pooler: %w", err)
	}
	if _, unlistenErr := conn.Exec(ctx, "UNLISTEN "+trial.Sanitize()); unlistenErr != nil && err == nil {
		return fmt.Errorf("end the trial of a pooler: %w", unlistenErr)
	}
	if timedOut {
		return errUnable
	}
	return nil
}

// logMissing tells once, not at every attempt, that notifications do not come.
func (l *Listener) logMissing(err error) {
	if l.missed {
		return
	}
	l.missed = true
	l.db.log.Warn("no notifications come from the database; looking from time to time instead", zap.String("channel", l.channel), zap.Error(err))
}

func (l *Listener) logBack() {
	if !l.missed {
		return
	}
	l.missed = false
	l.db.log.Info("notifications from the database come again", zap.String("channel", l.channel))
}
