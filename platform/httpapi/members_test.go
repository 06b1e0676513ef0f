package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
)

// shelf takes a body of up to 80 bytes with a text, which has to be there, a number that may be null, and a note as it is
// written, and answers what it understood.
func shelf() httpapi.Routes {
	return httpapi.Routes{Name: "shelf", Mount: func(api fiber.Router) {
		api.Post("/shelf", func(c *fiber.Ctx) error {
			m, err := httpapi.ReadMembers(c, 80, fiber.MIMEApplicationJSON, "application/merge-patch+json")
			if err != nil {
				return err
			}
			m.Require("text")
			null := m.TakeNull("gone")
			text, number := httpapi.Take[string](m, "text", "a string"), httpapi.TakeNullable[int](m, "number", "a whole number")
			note := m.TakeRaw("note")
			m.Unknown()
			if err := m.Faults.Err(); err != nil {
				return err
			}
			return c.JSON([]any{text, number, note, null})
		})
	}}
}

func TestMembers_TellAbsentNullAndUnknownApart(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, []httpapi.Routes{shelf()})
	const patch = "application/merge-patch+json"
	invalid := func(fields ...string) string {
		var list []fault.Field
		for n := 0; n < len(fields); n += 2 {
			list = append(list, fault.Field{Name: fields[n], Reason: fields[n+1]})
		}
		return fmt.Sprint(list)
	}
	for _, c := range []struct {
		contentType, body string
		status            int
		want              string // the answer, or the errors of a problem
	}{
		{"application/json", `{"text":"a"}`, 200, `["a",null,null,false]`},
		{"application/json; charset=UTF-8", ` {"text":"a","number":null,"note":null,"gone":null}`, 200, `["a",0,null,true]`},
		{patch, `{"text":"","number":3,"note":{"b": [1]}}`, 200, `["",3,{"b":[1]},false]`},
		{patch, `{"number":1.5}`, 422, invalid("text", "is required", "number", "must be a whole number")},
		{patch, `{"text":null,"more":1,"gone":2}`, 422, invalid("text", "must be a string", "gone", "is not a field here", "more", "is not a field here")},
		{patch, `null`, 422, invalid("body", "must be a JSON object in UTF-8")},
		{patch, `[]`, 422, invalid("body", "must be a JSON object in UTF-8")},
		{patch, `{"text":"a"} {}`, 422, invalid("body", "must be a JSON object in UTF-8")},
		{patch, "{\"text\":\"\xff\"}", 422, invalid("body", "must be a JSON object in UTF-8")},
		{patch, `{"text":"` + strings.Repeat("x", 80) + `"}`, 413, "[]"},
		{"text/plain", `{"text":"a"}`, 415, "[]"},
		{"application/json; charset=latin1", `{"text":"a"}`, 415, "[]"},
		{"", `{"text":"a"}`, 415, "[]"},
	} {
		status, answer := put(t, server, c.contentType, "", c.body)
		require.Equal(t, c.status, status, c.body)
		if status == http.StatusOK {
			require.JSONEq(t, c.want, string(answer), c.body)
			continue
		}
		var problem httpapi.Problem
		require.NoError(t, json.Unmarshal(answer, &problem))
		require.Equal(t, c.want, fmt.Sprint(problem.Errors), c.body)
	}
	status, _ := put(t, server, "application/json", "gzip", `{"text":"a"}`)
	require.Equal(t, http.StatusUnsupportedMediaType, status)
}

func put(t *testing.T, server *httpservertest.Server, contentType, encoding, body string) (status int, answer json.RawMessage) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/shelf", strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", contentType)
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	response, err := server.Client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return response.StatusCode, answer
}
