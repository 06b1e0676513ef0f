// Package bootstrap creates the first administrator of an empty database once the database is ready, with the password from the
// settings or with a generated one that it tells the operator.
//
// It sees users only through its interface: package auth knows how they are stored and what passwords they may have.
package bootstrap

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth/secretfile"
	"telltale/modules/auth/signing"
	"telltale/platform/fault"
	"telltale/platform/retry"
)

// Announce tells the operator, outside the log, which administrator has been made and with which password. It is called
// at most once in the life of a database.
type Announce func(username, password string)

// users are those of the database.
type users interface {
	// Any reports whether there are users at all.
	Any(ctx context.Context) (bool, error)
	// CreateFirst makes a user who may do everything, when there is none at all, and reports whether it did.
	CreateFirst(ctx context.Context, username, password string) (bool, error)
	// Check returns what is wrong with the name and the password, "" for nothing.
	Check(username, password string) (wrongName, wrongPassword string)
}

// adminPasswordFile is where a password is kept that was made up.
const adminPasswordFile = "admin-password"

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
	users    users
	ready    <-chan struct{}
	announce Announce
	log      *zap.Logger

	cancel context.CancelFunc
	ended  chan struct{}
	done   atomic.Bool
	fault  atomic.Pointer[error] // why it cannot be done, until the operator changes something
}

// New returns a bootstrap that begins when ready is closed. Announce may be nil.
func New(cfg config.Auth, embedded bool, dataDir string, users users, ready <-chan struct{}, announce Announce, log *zap.Logger) *Bootstrap {
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
	if !signing.OwnKey(b.cfg.Algorithm) {
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
		if password, _, err = secretfile.Keep(path, 18); err != nil {
			return fmt.Errorf("make the administrator's password: %w", err)
		}
		generated = true
	}
	if err := b.validate(password); err != nil {
		return err
	}
	created, err := b.users.CreateFirst(ctx, b.cfg.AdminUsername, password)
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
	var wrong fault.Fields
	wrongName, wrongPassword := b.users.Check(b.cfg.AdminUsername, password)
	if wrongName != "" {
		wrong.Add("ADMIN_USERNAME", "%s", wrongName)
	}
	if wrongPassword != "" {
		wrong.Add("ADMIN_PASSWORD", "%s", wrongPassword)
	}
	return wrong.Err()
}
