package auth

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/fault"
	"telltale/platform/retry"
)

// Announce tells the operator, outside the log, which administrator has been made and with which password. It is called
// at most once in the life of a database.
type Announce func(username, password string)

// How long a bootstrap waits before it tries again: at first, and after many attempts.
const (
	bootstrapRetry   = time.Second
	bootstrapPatient = time.Minute
)

// Bootstrap makes the first administrator of an empty database, once the database is ready.
//
// Its password is ADMIN_PASSWORD, or, when Telltale runs its own PostgreSQL, one that is made up, announced once and kept
// in the data directory. When there are users already nothing happens: ADMIN_PASSWORD never overwrites a password.
type Bootstrap struct {
	cfg      config.Auth
	embedded bool
	dataDir  string
	users    *Users
	ready    <-chan struct{}
	announce Announce
	log      *zap.Logger

	cancel context.CancelFunc
	ended  chan struct{}
	done   atomic.Bool
	fault  atomic.Pointer[error] // why it cannot be done, until the operator changes something
}

// NewBootstrap returns a bootstrap that begins when ready is closed. Announce may be nil.
func NewBootstrap(cfg config.Auth, embedded bool, dataDir string, users *Users, ready <-chan struct{}, announce Announce, log *zap.Logger) *Bootstrap {
	return &Bootstrap{cfg: cfg, embedded: embedded, dataDir: dataDir, users: users, ready: ready, announce: announce, log: log}
}

// Start lets the bootstrap happen in the background.
func (b *Bootstrap) Start(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel, b.ended = cancel, make(chan struct{})
	go b.run(ctx)
	return nil
}

// Stop returns once nothing is under way any more.
func (b *Bootstrap) Stop(context.Context) error {
	if b.cancel != nil {
		b.cancel()
		<-b.ended
	}
	return nil
}

// Check returns nil once there is an administrator, or none can be expected.
func (b *Bootstrap) Check() error {
	if err := b.fault.Load(); err != nil {
		return *err
	}
	if !b.done.Load() {
		return fault.New(fault.Unavailable, "users have not been looked for yet")
	}
	return nil
}

func (b *Bootstrap) run(ctx context.Context) {
	defer close(b.ended)
	select {
	case <-ctx.Done():
		return
	case <-b.ready:
	}
	for wait := bootstrapRetry; ; wait = min(2*wait, bootstrapPatient) {
		err := b.attempt(ctx)
		if err == nil {
			b.done.Store(true)
			return
		}
		if fault.KindOf(err) == fault.Invalid {
			b.fault.Store(&err)
			b.log.Error("the first administrator cannot be made", zap.Error(err))
			return
		}
		if ctx.Err() != nil {
			return
		}
		b.log.Warn("the first administrator could not be made yet", zap.Error(err))
		if retry.Pause(ctx, wait) != nil {
			return
		}
	}
}

func (b *Bootstrap) attempt(ctx context.Context) error {
	if !signsItself(b.cfg.Algorithm) {
		return nil // users and their scopes are the identity provider's
	}
	exist, err := b.users.Any(ctx)
	if err != nil {
		return err
	}
	if exist {
		if b.cfg.AdminPassword != "" {
			b.log.Info("there are users already: ADMIN_PASSWORD is not used and may be removed")
		}
		return nil
	}
	return b.makeFirst(ctx)
}

func (b *Bootstrap) makeFirst(ctx context.Context) error {
	password, generated := b.cfg.AdminPassword, false
	if password == "" {
		if !b.embedded {
			b.log.Warn("there are no users: set ADMIN_PASSWORD (and ADMIN_USERNAME) and start again to have an administrator made")
			return nil
		}
		var err error
		path := filepath.Join(b.dataDir, adminPasswordFile)
		if password, _, err = keepSecret(path, func() string { return randomText(18) }); err != nil {
			return fmt.Errorf("make the administrator's password: %w", err)
		}
		generated = true
	}
	if err := b.validate(password); err != nil {
		return err
	}
	created, err := b.users.CreateFirst(ctx, NewUser{Username: b.cfg.AdminUsername, Password: password, Scopes: []Scope{Admin}})
	if err != nil || !created {
		return err
	}
	b.log.Info("made the first administrator", zap.String("username", b.cfg.AdminUsername))
	if generated && b.announce != nil {
		b.announce(b.cfg.AdminUsername, password)
	}
	return nil
}

func (b *Bootstrap) validate(password string) error {
	var fields []fault.Field
	if reason := usernameFault(b.cfg.AdminUsername); reason != "" {
		fields = append(fields, fault.Field{Name: "ADMIN_USERNAME", Reason: reason})
	}
	if reason := passwordFault(b.cfg.AdminUsername, password); reason != "" {
		fields = append(fields, fault.Field{Name: "ADMIN_PASSWORD", Reason: reason})
	}
	if fields != nil {
		return fault.InvalidFields(fields...)
	}
	return nil
}
