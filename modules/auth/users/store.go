package users

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"telltale/modules/auth/access"
	"telltale/platform/fault"
)

// database is what the store needs of the pool.
type database interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	InTx(ctx context.Context, options pgx.TxOptions, do func(pgx.Tx) error) error
}

// store keeps users.
type store struct{ db database }

// Changes of users exclude each other, so that of two administrators who remove each other one is refused. Readers do not
// wait.
const lockUsers = `LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE`

func scanAccount(row pgx.CollectableRow) (account, error) {
	var a account
	err := row.Scan(&a.Username, &a.Scopes, &a.Devices, &a.Disabled, &a.CreatedAt, &a.UpdatedAt, &a.hash)
	return a, err
}

func scanUser(row pgx.CollectableRow) (User, error) {
	a, err := scanAccount(row)
	return a.User, err
}

const selectAccount = `
SELECT username, scopes, devices, disabled, created_at, updated_at, password_hash
FROM users WHERE username = $1`

func (s store) account(ctx context.Context, username string) (account, bool, error) {
	rows, err := s.db.Query(ctx, selectAccount, username)
	if err != nil {
		return account{}, false, fmt.Errorf("read a user: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, scanAccount)
	if errors.Is(err, pgx.ErrNoRows) {
		return account{}, false, nil
	}
	if err != nil {
		return account{}, false, fmt.Errorf("read a user: %w", err)
	}
	return found, true, nil
}

const selectUsers = `
SELECT username, scopes, devices, disabled, created_at, updated_at, ''
FROM users WHERE username > $1 ORDER BY username LIMIT $2`

func (s store) users(ctx context.Context, after string, limit int) ([]User, error) {
	rows, err := s.db.Query(ctx, selectUsers, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	users, err := pgx.CollectRows(rows, scanUser)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return users, nil
}

const insertUser = `
INSERT INTO users (username, password_hash, scopes, devices, disabled) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
RETURNING username, scopes, devices, disabled, created_at, updated_at, ''`

func (s store) insertUser(ctx context.Context, user Draft, hash string) (User, error) {
	rows, err := s.db.Query(ctx, insertUser, user.Username, hash, access.SortedScopes(user.Scopes), user.Devices, user.Disabled)
	if err != nil {
		return User{}, fmt.Errorf("create a user: %w", err)
	}
	created, err := pgx.CollectExactlyOneRow(rows, scanUser)
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, fault.New(fault.Conflict, "there is a user with that name already")
	}
	if err != nil {
		return User{}, fmt.Errorf("create a user: %w", err)
	}
	return created, nil
}

const selectAnyUser = `SELECT EXISTS (SELECT FROM users)`

func (s store) anyUser(ctx context.Context) (bool, error) {
	rows, err := s.db.Query(ctx, selectAnyUser)
	if err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
	if err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	return found, nil
}

const insertFirstUser = `
INSERT INTO users (username, password_hash, scopes, devices, disabled)
SELECT $1, $2, $3::text[], $4::text[], $5 WHERE NOT EXISTS (SELECT FROM users)`

func (s store) insertFirstUser(ctx context.Context, user Draft, hash string) (created bool, err error) {
	err = s.changeUsers(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insertFirstUser, user.Username, hash, access.SortedScopes(user.Scopes), user.Devices, user.Disabled)
		created = tag.RowsAffected() == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("create the first user: %w", err)
	}
	return created, nil
}

const updateUser = `
UPDATE users SET scopes = $2, devices = $3, disabled = $4, password_hash = coalesce(nullif($5, ''), password_hash), updated_at = now()
WHERE username = $1
RETURNING username, scopes, devices, disabled, created_at, updated_at, ''`

// updateUser writes what change makes of the user, and the hash unless it is empty.
func (s store) updateUser(ctx context.Context, username, hash string, change func(account) (User, error)) (changed User, err error) {
	err = s.changeUsers(ctx, func(tx pgx.Tx) error {
		old, err := lockedUser(ctx, tx, username)
		if err != nil {
			return err
		}
		updated, err := change(old)
		if err != nil {
			return err
		}
		if err := keepsAdministrator(ctx, tx, old.User, updated); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, updateUser, username, access.SortedScopes(updated.Scopes), updated.Devices, updated.Disabled, hash)
		if err != nil {
			return err
		}
		changed, err = pgx.CollectExactlyOneRow(rows, scanUser)
		return err
	})
	if err != nil {
		return User{}, fmt.Errorf("change a user: %w", err)
	}
	return changed, nil
}

const deleteUser = `DELETE FROM users WHERE username = $1`

// deleteUser removes the user unless allow objects.
func (s store) deleteUser(ctx context.Context, username string, allow func(User) error) error {
	err := s.changeUsers(ctx, func(tx pgx.Tx) error {
		old, err := lockedUser(ctx, tx, username)
		if err != nil {
			return err
		}
		if err := allow(old.User); err != nil {
			return err
		}
		if err := keepsAdministrator(ctx, tx, old.User, User{Disabled: true}); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, deleteUser, username)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete a user: %w", err)
	}
	return nil
}

// changeUsers runs do in a transaction that no other change of users overlaps.
func (s store) changeUsers(ctx context.Context, do func(pgx.Tx) error) error {
	return s.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockUsers); err != nil {
			return err
		}
		return do(tx)
	})
}

func lockedUser(ctx context.Context, tx pgx.Tx, username string) (account, error) {
	rows, err := tx.Query(ctx, selectAccount, username)
	if err != nil {
		return account{}, err
	}
	found, err := pgx.CollectExactlyOneRow(rows, scanAccount)
	if errors.Is(err, pgx.ErrNoRows) {
		return account{}, NotFound()
	}
	return found, err
}

const selectOtherAdministrator = `
SELECT EXISTS (SELECT FROM users WHERE username <> $1 AND NOT disabled AND devices IS NULL AND 'admin' = ANY (scopes))`

// keepsAdministrator returns a Conflict fault when the change would leave no user who can administer everything.
func keepsAdministrator(ctx context.Context, tx pgx.Tx, old, updated User) error {
	if !old.runsEverything() || updated.runsEverything() {
		return nil
	}
	rows, err := tx.Query(ctx, selectOtherAdministrator, old.Username)
	if err != nil {
		return err
	}
	other, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
	if err != nil {
		return err
	}
	if !other {
		return fault.New(fault.Conflict, "this is the last enabled administrator of all devices: make another one first")
	}
	return nil
}
