package devices

import (
	"encoding/base64"
	"errors"
	"strings"

	"telltale/platform/httpapi"
)

// How many devices a list has when its caller does not say, and at most.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// listParameters are those of a list.
var listParameters = httpapi.Parameters{}.Repeatable("tag").Once("search", "status", "limit", "cursor")

// parseQuery reads the parameters of a list. It returns an Invalid fault that names every one at fault.
func parseQuery(q *httpapi.Query) (Query, error) {
	query := Query{
		Search: q.First("search"),
		Tags:   q.All("tag"),
		Status: httpapi.OneOf(q, "status", "", Online, Offline),
		Limit:  q.Number("limit", defaultLimit, 1, maxLimit),
		After:  httpapi.Parsed(q, "cursor", "", parseCursor),
	}
	var wrong faults
	wrong.check("search", validateName(query.Search))
	wrong.addTags(query.Tags)
	q.Faults.Include(wrong.Err())
	return query, q.Err()
}

// cursorPrefix tells this version's cursors from garbage.
const cursorPrefix = "after:"

func formatCursor(id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix + id))
}

func parseCursor(cursor string) (id string, err error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	id, ok := strings.CutPrefix(string(text), cursorPrefix)
	if err != nil || !ok || ValidateID(id) != nil {
		return "", errors.New("must be the next_cursor of an earlier answer")
	}
	return id, nil
}
