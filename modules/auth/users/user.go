package users

import (
	"regexp"
	"slices"
	"time"

	"telltale/modules/auth/access"
)

// User is a person, or a program, that logs in with a password.
type User struct {
	Username string
	Scopes   []access.Scope
	// Devices narrows what the user may see or touch, as in Principal.
	Devices   []string
	Disabled  bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Draft is what an administrator decides about a user to be created.
type Draft struct {
	Username string
	Password string
	Scopes   []access.Scope
	Devices  []string
	Disabled bool
}

// Change is what an administrator changes about a user; what is nil stays as it is.
type Change struct {
	Password *string
	Scopes   *[]access.Scope
	// Devices points to nil to cover every device.
	Devices  *[]string
	Disabled *bool
}

// apply returns the user as changed, its password aside.
func (c Change) apply(u User) User {
	if c.Scopes != nil {
		u.Scopes = *c.Scopes
	}
	if c.Devices != nil {
		u.Devices = *c.Devices
	}
	if c.Disabled != nil {
		u.Disabled = *c.Disabled
	}
	return u
}

// runsEverything reports whether the user can administer everything; one such user always has to remain.
func (u User) runsEverything() bool {
	return !u.Disabled && u.Devices == nil && slices.Contains(u.Scopes, access.Admin)
}

// account is a user as its tokens are checked against it.
type account struct {
	User
	hash string // argon2id, PHC string
}

var usernamePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$`)

// NameFault says what is wrong with a user name, "" when nothing is.
func NameFault(username string) string {
	if usernamePattern.MatchString(username) {
		return ""
	}
	return "must have 1 to 64 letters, digits or . _ @ + - and begin with a letter or digit"
}
