package acceptance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// many writes n texts, each made of its number, with a separator between them.
func many(n int, text, separator string) string {
	all := make([]string, n)
	for k := range all {
		all[k] = strings.ReplaceAll(text, "#", fmt.Sprintf("%04d", k))
	}
	return strings.Join(all, separator)
}

// A small request with thousands of mistakes gets an answer that lists a hundred and counts the others: in a URL and in a body alike.
func TestProblem_ListsAHundredFaultsOfARequestAndCountsTheOthers(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	const (
		form        = "application/x-www-form-urlencoded"
		unknown     = `"u#":1`
		unknownName = "u#=1"
	)
	for name, c := range map[string]struct {
		method, path, contentType, body string
		count                           string // in the message
	}{
		"unknown parameters":              {"GET", "/api/readings?" + many(4000, unknownName, "&"), "", "", "4000"},
		"empty words":                     {"GET", "/api/readings?device=" + strings.Repeat(",", 15_000), "", "", "15001"},
		"empty words of buckets":          {"GET", "/api/stream?interval=1m&agg=" + strings.Repeat(",", 15_000), "", "", "15001"},
		"parameters of a call with none":  {"GET", "/api/auth/me?" + many(4000, unknownName, "&"), "", "", "4000"},
		"parameters of a deletion":        {"DELETE", "/api/readings?from=0&to=1&device=" + many(1000, "d#*", ","), "", "", "for 1001 reasons"},
		"parameters of a list":            {"GET", "/api/devices?" + many(4000, unknownName, "&"), "", "", "4000"},
		"parameters of a write":           {"POST", "/api/v2/write?device_tag=" + strings.Repeat(",", 15_000), "text/plain", "m v=1", "15001"},
		"members of a device":             {"POST", "/api/devices", "application/json", `{"id":"a",` + many(9000, unknown, ",") + `}`, "9000"},
		"tags of a device that are null":  {"POST", "/api/devices", "application/json", `{"id":"a","tags":[` + many(9000, "null", ",") + `]}`, "9000"},
		"units of a device that are null": {"POST", "/api/devices", "application/json", `{"id":"a","units":{` + many(9000, `"u#":null`, ",") + `}}`, "9000"},
		"members of a user":               {"POST", "/api/auth/users", "application/json", `{"username":"bob",` + many(9000, unknown, ",") + `}`, "for 9002 reasons"},
		"devices of a user":               {"PATCH", "/api/auth/users/admin", "application/json", `{"devices":[` + many(900, `"a/#"`, ",") + `]}`, "900"},
		"members of a key":                {"POST", "/api/auth/keys", "application/json", `{"name":"k","scopes":[],` + many(9000, unknown, ",") + `}`, "9000"},
		"fields of a login":               {"POST", "/api/auth/token", form, "username=a&password=b&" + many(9000, unknownName, "&"), "9000"},
		"members of a password":           {"POST", "/api/auth/password", "application/json", `{"current_password":"a","new_password":"b",` + many(9000, unknown, ",") + `}`, "9000"},
		"members of a stream":             {"POST", "/api/stream", "application/json", `{` + many(9000, `"u#":0.5`, ",") + `}`, "9000"},
		"parameters of a stream":          {"POST", "/api/stream", "application/json", `{` + many(9000, unknown, ",") + `}`, "9000"},
		"members of a filter":             {"POST", "/api/stream/filters", "application/json", `{` + many(9000, unknown, ",") + `}`, "9000"},
		"readings":                        {"POST", "/api/readings", "application/json", `{"readings":[` + many(5000, `{"u#":1}`, ",") + `]}`, "at least 101 of"},
		"lines":                           {"POST", "/api/v2/write", "text/plain", many(9000, "m#", "\n"), "9000"},
	} {
		t.Run(name, func(t *testing.T) {
			status, text, err := p.try(c.method, c.path, c.contentType, strings.NewReader(c.body))
			require.NoError(t, err)
			require.Contains(t, []int{http.StatusUnprocessableEntity, http.StatusBadRequest}, status, "%.300s", text)
			require.Less(t, len(text), 64<<10, "%.300s", text)
			var problem struct {
				Detail, Message string
				Errors          []json.RawMessage
			}
			require.NoError(t, json.Unmarshal(text, &problem))
			require.Len(t, problem.Errors, 100, "%.300s", text)
			require.Contains(t, problem.Detail+problem.Message, c.count)
		})
	}
}
