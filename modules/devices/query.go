package devices

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// How many devices a list has when its caller does not say, and at most.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// parseQuery reads the parameters of a list. It returns an Invalid fault that names every one at fault.
func parseQuery(given url.Values) (Query, error) {
	query := Query{Limit: defaultLimit}
	var faults faults
	for _, name := range slices.Sorted(maps.Keys(given)) {
		values := given[name]
		if name != "tag" && len(values) > 1 {
			faults.Add(name, "must not be given more than once")
			continue
		}
		switch value := values[0]; name {
		case "search":
			query.Search = value
			faults.check(name, validateName(value))
		case "tag":
			query.Tags = values
			faults.addTags(values)
		case "status":
			query.Status = Status(value)
			if query.Status != Online && query.Status != Offline {
				faults.Add(name, "must be online or offline")
			}
		case "limit":
			limit, err := strconv.Atoi(value)
			if err != nil || limit < 1 || limit > maxLimit {
				faults.Add(name, "must be a number from 1 to %d", maxLimit)
			}
			query.Limit = limit
		case "cursor":
			after, err := parseCursor(value)
			faults.check(name, err)
			query.After = after
		default:
			faults.Add(name, "is not a parameter here")
		}
	}
	return query, faults.Err()
}

// noQuery returns an Invalid fault for any parameter at all.
func noQuery(given url.Values) error {
	var faults faults
	for _, name := range slices.Sorted(maps.Keys(given)) {
		faults.Add(name, "is not a parameter here")
	}
	return faults.Err()
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
