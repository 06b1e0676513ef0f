package boards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"telltale/platform/fault"
	"telltale/platform/postgres"
)

// store reads and writes the table of boards.
type store struct{ db *postgres.DB }

// boardsLock is the key of the advisory lock under which boards are made: "tell" and a number, like those of the log.
const boardsLock = 0x74656c6c_0004

// Each statement begins with what it needs to know of the viewer: $1 its username, $2 its subject, $3 whether it is an
// administrator.
const (
	mine     = `coalesce(username = $1, false) OR coalesce(subject = $2, false)`
	editable = mine + ` OR shared AND $3`
	shown    = `id, name, coalesce(username, subject), ` + mine + `, ` + editable + `, shared, version, updated_at`

	listBoards  = `SELECT ` + shown + ` FROM boards WHERE shared OR ` + mine + ` ORDER BY lower(name), id LIMIT $4`
	selectBoard = `SELECT ` + shown + `, document FROM boards WHERE id = $4 AND (shared OR ` + mine + `)`
	updateBoard = `
UPDATE boards SET name = $6, shared = $7, document = $8, version = version + 1, updated_at = now()
WHERE id = $4 AND version = $5 AND (` + editable + `) RETURNING ` + shown + `, document`
	deleteBoard = `DELETE FROM boards WHERE id = $4 AND (` + editable + `)`

	// The lock is taken by a statement of its own, so that the snapshot of the statements behind it has what others have made.
	lockBoards = `SELECT pg_advisory_xact_lock($1)`
	// No account can see the private boards of a deleted user.
	deleteOrphans = `DELETE FROM boards WHERE username IS NULL AND subject IS NULL AND NOT shared`
	insertBoard   = `
INSERT INTO boards (id, username, subject, name, shared, document)
SELECT $4, $1, $2, $5, $6, $7 WHERE (SELECT count(*) FROM boards WHERE ` + mine + `) < $8
RETURNING ` + shown + `, document`
)

func (s store) list(ctx context.Context, v viewer) ([]Summary, error) {
	rows, err := s.db.Query(ctx, listBoards, v.username, v.subject, v.admin, maxListed)
	if err != nil {
		return nil, fmt.Errorf("listing boards: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Summary, error) {
		var b Summary
		err := row.Scan(b.fields()...)
		b.Updated = b.Updated.UTC()
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing boards: %w", err)
	}
	return list, nil
}

// fields are where the columns of shown go.
func (s *Summary) fields() []any {
	return []any{&s.ID, &s.Name, &s.Owner, &s.Mine, &s.Editable, &s.Shared, &s.Version, &s.Updated}
}

func scanBoard(row pgx.Row) (b Board, err error) {
	var raw []byte
	if err := row.Scan(append(b.fields(), &raw)...); err != nil {
		return b, err
	}
	b.Updated = b.Updated.UTC()
	return b, json.Unmarshal(raw, &b.Document)
}

func (s store) find(ctx context.Context, v viewer, id string) (Board, error) {
	board, err := scanBoard(s.db.QueryRow(ctx, selectBoard, v.username, v.subject, v.admin, id))
	if errors.Is(err, pgx.ErrNoRows) {
		return board, notFound(id)
	}
	if err != nil {
		return board, fmt.Errorf("reading a board: %w", err)
	}
	return board, nil
}

func notFound(id string) error { return fault.New(fault.NotFound, "there is no board %.60q", id) }

// insert is one round trip: lock, clean-up and insert travel together as one implicit transaction.
func (s store) insert(ctx context.Context, v viewer, id string, draft Draft) (board Board, err error) {
	doc, err := json.Marshal(draft.Document)
	if err != nil {
		return board, fmt.Errorf("encoding a board: %w", err)
	}
	var pipeline pgx.Batch
	pipeline.Queue(lockBoards, int64(boardsLock))
	pipeline.Queue(deleteOrphans)
	pipeline.Queue(insertBoard, v.username, v.subject, v.admin, id, draft.Name, draft.Shared, doc, maxBoards).QueryRow(func(row pgx.Row) (err error) {
		board, err = scanBoard(row)
		return err
	})
	err = s.db.SendBatch(ctx, &pipeline).Close()
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return board, fault.InvalidField("body", "would be one more than the %d boards that you may have; delete one first", maxBoards)
	case postgres.Is(err, postgres.ForeignKeyViolation):
		return board, fault.New(fault.Unauthenticated, "the token is no longer valid: its user has been deleted")
	case err != nil:
		return board, fmt.Errorf("making a board: %w", err)
	}
	return board, nil
}

// update changes the board if it still has the version.
func (s store) update(ctx context.Context, v viewer, id string, version int, draft Draft) (Board, error) {
	doc, err := json.Marshal(draft.Document)
	if err != nil {
		return Board{}, fmt.Errorf("encoding a board: %w", err)
	}
	board, err := scanBoard(s.db.QueryRow(ctx, updateBoard, v.username, v.subject, v.admin, id, version, draft.Name, draft.Shared, doc))
	if err == nil {
		return board, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return Board{}, fmt.Errorf("changing a board: %w", err)
	}
	now, err := s.find(ctx, v, id) // it has changed, or has gone, since it was read
	if err != nil {
		return Board{}, err
	}
	return Board{}, outdated(version, now.Version)
}

func (s store) delete(ctx context.Context, v viewer, id string) error {
	tag, err := s.db.Exec(ctx, deleteBoard, v.username, v.subject, v.admin, id)
	if err != nil {
		return fmt.Errorf("deleting a board: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return notFound(id)
	}
	return nil
}
