// Package users owns the users whom Telltale itself knows: how they are stored and changed, logins by password, and what a user's tokens
// may still do. One administrator of everything always remains.
//
// It knows neither tokens nor requests: package tokens signs what a login gets, package auth has the API. How passwords are hashed and
// failed logins slowed is package password's.
package users

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"go.uber.org/zap"

	"telltale/modules/auth/access"
	"telltale/modules/auth/lookup"
	"telltale/modules/auth/password"
	"telltale/platform/fault"
)

// hasher computes the hashes of passwords; see password.Hasher.
type hasher interface {
	Acquire(ctx context.Context) (release func(), err error)
	Hash(ctx context.Context, text string) (string, error)
	Compare(text, hash string) (bool, error)
	Dummy() string
}

// Service creates, changes and removes users, and checks their passwords.
//
// A token that Telltale issued carries a fingerprint of its user's password hash, and every use of it is held against
// the user as stored: once the user is disabled, deleted or has a new password the token is refused, and narrower scopes
// and devices apply to it, at once on the instance that made the change and within seconds on every other.
type Service struct {
	store    store
	hasher   hasher
	throttle *password.Throttle
	accounts *lookup.Cache[account]
	log      *zap.Logger
}

// New returns the users kept in the database.
func New(db database, hasher hasher, now func() time.Time, log *zap.Logger) *Service {
	s := store{db}
	return &Service{store: s, hasher: hasher, throttle: password.NewThrottle(now), accounts: lookup.New(now, s.account), log: log}
}

// Login returns the user with the name and password given, and the fingerprint of its account, for access.Principal.Account. Address
// is where the attempt comes from.
//
// Whether the name is unknown, the password wrong or the user disabled, the answer is the same Unauthenticated fault
// after the same work. After repeated failures it is TooManyRequests, and Unavailable when too many log in at once.
func (u *Service) Login(ctx context.Context, username, password, address string) (User, string, error) {
	found, err := u.verify(ctx, username, password, address)
	if err != nil {
		return User{}, "", err
	}
	return found.User, fingerprint(found.hash), nil
}

func (u *Service) verify(ctx context.Context, username, password, address string) (account, error) {
	if err := u.throttle.Check(username, address); err != nil {
		return account{}, err
	}
	var stored account
	found, hash := false, u.hasher.Dummy()
	if NameFault(username) == "" { // the database does not take just any text
		var err error
		if stored, found, err = u.store.account(ctx, username); err != nil {
			return account{}, err
		}
	}
	if found {
		hash = stored.hash
	}
	release, err := u.hasher.Acquire(ctx)
	if err != nil {
		return account{}, err
	}
	defer release()
	// Again, because others may have failed while this one waited for its permit.
	if err := u.throttle.Check(username, address); err != nil {
		return account{}, err
	}
	match, err := u.hasher.Compare(password, hash)
	if err != nil {
		return account{}, err
	}
	if !match || !found || stored.Disabled {
		u.throttle.Fail(username, address)
		u.log.Info("login refused", zap.String("address", address))
		return account{}, wrongPassword()
	}
	u.throttle.Succeed(username, address)
	return stored, nil
}

// ChangePassword gives the user a new password when current is its old one. Every token issued to the user before stops
// working. The faults are those of Login.
func (u *Service) ChangePassword(ctx context.Context, username, current, password, address string) error {
	verified, err := u.verify(ctx, username, current, address)
	if err != nil {
		return err
	}
	hash, err := u.hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = u.store.updateUser(ctx, username, hash, func(stored account) (User, error) {
		if stored.hash != verified.hash { // an administrator was quicker, perhaps because the password had been stolen
			return User{}, wrongPassword()
		}
		return stored.User, nil
	})
	if err != nil {
		return err
	}
	u.accounts.Forget(username)
	u.log.Info("password changed", zap.String("username", username), zap.String("by", username))
	return nil
}

// List returns up to limit users that by may see, in order of name, those after the name given. More says whether there
// may be others behind them.
func (u *Service) List(ctx context.Context, by access.Principal, after string, limit int) (users []User, more bool, err error) {
	return access.Visible(by, after, limit, func(after string, limit int) ([]User, error) {
		return u.store.users(ctx, after, limit)
	}, func(user User) (string, []string) { return user.Username, user.Devices })
}

// Get returns the user, or a NotFound fault when there is none that by may see.
func (u *Service) Get(ctx context.Context, by access.Principal, username string) (User, error) {
	stored, found, err := u.store.account(ctx, username)
	if err != nil {
		return User{}, err
	}
	if !found || !by.CoversAll(stored.Devices) {
		return User{}, NotFound()
	}
	return stored.User, nil
}

// Create adds a user. It returns a Conflict fault when the name is taken, and Forbidden when the user would see devices
// that by does not.
func (u *Service) Create(ctx context.Context, by access.Principal, user Draft) (User, error) {
	if err := by.CheckGrant(user.Devices); err != nil {
		return User{}, err
	}
	hash, err := u.hasher.Hash(ctx, user.Password)
	if err != nil {
		return User{}, err
	}
	created, err := u.store.insertUser(ctx, user, hash)
	if err != nil {
		return User{}, err
	}
	u.accounts.Forget(user.Username)
	u.log.Info("user created", zap.String("username", user.Username), zap.String("by", by.Subject))
	return created, nil
}

// CreateFirst adds an administrator when there is no user at all, and reports whether it did. Of several instances that try
// at once, one succeeds.
func (u *Service) CreateFirst(ctx context.Context, username, password string) (bool, error) {
	hash, err := u.hasher.Hash(ctx, password)
	if err != nil {
		return false, err
	}
	return u.store.insertFirstUser(ctx, Draft{Username: username, Scopes: []access.Scope{access.Admin}}, hash)
}

// Check says what is wrong with the name and the password of a user to be created, "" when nothing is.
func (u *Service) Check(username, text string) (wrongName, wrongPassword string) {
	return NameFault(username), password.Fault(username, text)
}

// Any reports whether there are users at all.
func (u *Service) Any(ctx context.Context) (bool, error) {
	return u.store.anyUser(ctx)
}

// Update changes a user. It returns NotFound when there is none that by may see, Forbidden when it would see devices that
// by does not, and Conflict when no user would be left who can administer everything.
func (u *Service) Update(ctx context.Context, by access.Principal, username string, change Change) (User, error) {
	if change.Devices != nil {
		if err := by.CheckGrant(*change.Devices); err != nil {
			return User{}, err
		}
	}
	var hash string
	if change.Password != nil {
		var err error
		if hash, err = u.hasher.Hash(ctx, *change.Password); err != nil {
			return User{}, err
		}
	}
	changed, err := u.store.updateUser(ctx, username, hash, func(stored account) (User, error) {
		if !by.CoversAll(stored.Devices) {
			return User{}, NotFound()
		}
		return change.apply(stored.User), nil
	})
	if err != nil {
		return User{}, err
	}
	u.accounts.Forget(username)
	if hash != "" {
		u.throttle.Renew(username)
	}
	u.log.Info("user changed", zap.String("username", username), zap.String("by", by.Subject))
	return changed, nil
}

// Delete removes a user, with the faults of Update.
func (u *Service) Delete(ctx context.Context, by access.Principal, username string) error {
	err := u.store.deleteUser(ctx, username, func(user User) error {
		if !by.CoversAll(user.Devices) {
			return NotFound()
		}
		return nil
	})
	if err != nil {
		return err
	}
	u.accounts.Forget(username)
	u.log.Info("user deleted", zap.String("username", username), zap.String("by", by.Subject))
	return nil
}

// Current narrows a principal, made from a token that Telltale issued, to what its user may do by now. It returns an
// Unauthenticated fault when the user has gone, is disabled or has another password.
func (u *Service) Current(ctx context.Context, p access.Principal) (access.Principal, error) {
	stored, found, err := u.accounts.Get(ctx, p.Subject)
	if err != nil {
		return access.Principal{}, err
	}
	if !found || stored.Disabled || fingerprint(stored.hash) != p.Account {
		return access.Principal{}, fault.New(fault.Unauthenticated, "the token is no longer valid: log in again")
	}
	p.Scopes = access.Principal{Scopes: stored.Scopes}.Allowed(p.Scopes)
	p.Devices = stored.Devices
	return p, nil
}

// OnChange has changed called with the name after every change of a user that this instance has made. Changed must not wait; there is
// one at most.
func (u *Service) OnChange(changed func(username string)) { u.accounts.OnForget(changed) }

// fingerprint tells one password of a user from the next, and gives nothing away: the hash has a random salt.
func fingerprint(hash string) string {
	sum := sha256.Sum256([]byte(hash))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func wrongPassword() error {
	return fault.New(fault.Unauthenticated, "the user name or the password is wrong")
}

// NotFound returns the fault for a user who does not exist, or whom the caller may not see.
func NotFound() error { return fault.New(fault.NotFound, "there is no such user") }
