package openapitest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const twoPots = `[{"name":"a","size":3},{"name":"b","size":5}]`

func TestContract_AFaultlessDocumentPassesEveryCheck(t *testing.T) {
	t.Parallel()
	c := contract(t)
	require.NoError(t, c.CheckComplete())
	server := serve(t, twoPots)
	r := runner(c, server.URL, server.Client)
	require.NoError(t, r.Examples(t.Context()))
	require.NoError(t, r.Guarded(t.Context(), server.Client))
}

func TestContract_ADocumentThatContradictsItselfIsNotLoaded(t *testing.T) {
	t.Parallel()
	for want, replace := range map[string][]string{
		"minimum":          {"example: [{name: a, size: 3}]", "example: [{name: a, size: 0}]"},
		"unsupported":      {"example: [{name: a, size: 3}]", "example: [{name: a, size: 3, color: red}]"},
		"Pott":             {"schema: {type: array, items: {$ref: '#/components/schemas/Pot'}}", "schema: {$ref: '#/components/schemas/Pott'}"},
		"must be required": {"{name: name, in: path, required: true,", "{name: name, in: path,"},
	} {
		_, err := load(t, replace...)
		require.ErrorContains(t, err, want)
	}
}

func TestContract_RoutesAndOperationsAreComparedBothWays(t *testing.T) {
	t.Parallel()
	c := contract(t)
	table := []Route{
		{Method: "GET", Path: "/api/pots"},
		{Method: "POST", Path: "/api/pots"},
		{Method: "DELETE", Path: "/api/pots/:name"},
		{Method: "GET", Path: "/api/steam"},
		{Method: "GET", Path: "/api/health"},
		{Method: "GET", Path: "/api/livez"},
		{Method: "GET", Path: "/api/readyz"},
		{Method: "GET", Path: "/api/openapi.json"},
		{Method: "GET", Path: "/metrics"},
		{Method: "GET", Path: "/page"},
	}
	require.NoError(t, c.CompareRoutes(table, "/page"))
	require.EqualError(t, c.CompareRoutes(table), "GET /page is a route, but not documented")
	require.EqualError(t, c.CompareRoutes(table[1:], "/page"), "GET /api/pots is documented, but there is no such route")
	table[2].Path = "/api/pots/:id"
	require.ErrorContains(t, c.CompareRoutes(table, "/page"), "DELETE /api/pots/{id} is a route, but not documented")
}

func TestContract_WhatAReaderWouldMissIsNamed(t *testing.T) {
	t.Parallel()
	for want, replace := range map[string][]string{
		"GET /api/pots: no summary":                                              {"      summary: List pots\n", ""},
		"GET /api/pots: no description":                                          {"      description: All pots.\n", ""},
		"GET /api/pots: no operationId":                                          {"      operationId: listPots\n", ""},
		"GET /api/steam: no security":                                            {"      security: []\n", ""},
		"the tag pots is not declared":                                           {"tags: [{name: pots, description: Pots.}]", ""},
		"no description of the parameter size":                                   {"description: Only pots of these sizes., ", ""},
		"no example of the required parameter name":                              {", example: a}", "}"},
		"no example of the 200 body in text/csv":                                 {"              example: \"name,size\\na,3\\n\"\n", ""},
		"POST /api/pots: no example of the request body in application/x-ndjson": {"            example: {name: c, size: 7}\n", ""},
		"DELETE /api/pots/{name}: no answer 404":                                 {"        '404': {$ref: '#/components/responses/NotFound'}\n", ""},
		"POST /api/pots: no answer 413":                                          {"        '413': {$ref: '#/components/responses/TooLarge'}\n", ""},
		"no answer 401, although it needs credentials":                           {"        '401': {$ref: '#/components/responses/Unauthenticated'}\n", ""},
	} {
		require.ErrorContains(t, contract(t, replace...).CheckComplete(), want)
	}
}

// withToken adds the credentials that the sample wants.
type withToken struct{ next http.RoundTripper }

func (w withToken) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer sesame")
	return w.next.RoundTrip(req)
}

func runner(c *Contract, url string, client *http.Client) *Runner {
	return &Runner{
		Contract: c, URL: url, Client: &http.Client{Transport: withToken{client.Transport}},
		Skip: []string{"getHealth", "getLiveness", "getReadiness", "getOpenAPI", "getMetrics"},
	}
}

func TestContract_ExamplesThatTheServerDoesNotTakeAreNamed(t *testing.T) {
	t.Parallel()
	server := serve(t, `[{"name":"a"}]`)
	err := runner(contract(t, "minimum: 1", "minimum: -5", "size: 500", "size: -1"), server.URL, server.Client).Examples(t.Context())
	require.ErrorContains(t, err, "POST /api/pots (application/json large): answered 422, not 201")
	require.ErrorContains(t, err, "GET /api/pots?since=1762128000000&size=3&size=5 answered 200: the answer does not fit")
	require.NotContains(t, err.Error(), "small")
}

func TestContract_OperationsThatForgetTheirGuardAreNamed(t *testing.T) {
	t.Parallel()
	server := serve(t, twoPots)
	c := contract(t, "      description: Live.\n      security: []\n", "      description: Live.\n      security: [{bearer: []}]\n")
	err := runner(c, server.URL, server.Client).Guarded(t.Context(), server.Client)
	require.EqualError(t, err, "GET /api/steam without credentials answered 200, or without a challenge")
}

func TestContract_TheTransportReportsWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	c := contract(t)
	for _, test := range []struct {
		name, method, path, contentType, body string
		listed                                string
		want                                  string // nothing when empty
	}{
		{"a fitting list", "GET", "/api/pots", "", "", twoPots, ""},
		{"credentials in the query", "GET", "/api/pots?access_token=sesame", "", "", twoPots, ""},
		{"a property too few", "GET", "/api/pots", "", "", `[{"name":"a"}]`, `property "size" is missing`},
		{"a property too many", "GET", "/api/pots", "", "", `[{"name":"a","size":3,"x":1}]`, `property "x" is unsupported`},
		{"a wrong type", "GET", "/api/pots", "", "", `[{"name":"a","size":"3"}]`, "must be an integer"},
		{"no JSON", "GET", "/api/pots", "", "", `[`, "failed to decode response body"},
		{"an unknown query parameter", "GET", "/api/pots?as=application/json", "", "", twoPots, "query parameter as is not documented"},
		{"a bad query parameter that is taken", "GET", "/api/pots?size=large", "", "", twoPots, "request does not fit"},
		{"csv", "GET", "/api/pots?as=text/csv", "", "", "name,size\n", "query parameter as is not documented"},
		{"an unknown content type", "GET", "/api/pots?as=text/html", "", "", "x", "text/html"},
		{"a bad second line", "GET", "/api/pots?as=application/x-ndjson", "", "", "{\"name\":\"a\",\"size\":1}\n{\"name\":1}\n", "line 2"},
		{"a request that fits", "POST", "/api/pots", "application/json", `{"name":"a","size":1}`, "", ""},
		{"nonsense that is refused", "POST", "/api/pots", "application/json", `{"size":0}`, "", ""},
		{"nonsense that is taken", "POST", "/api/pots", "application/json", `{"size":1}`, "", "request does not fit"},
		{"nonsense in lines that is taken", "POST", "/api/pots", "application/x-ndjson", "{\"name\":\"a\",\"size\":1}\n{\"size\":2}\n", "", "line 2"},
		{"a body where none belongs", "DELETE", "/api/pots/a", "text/plain", "x", "", "request does not fit"},
		{"no route", "GET", "/api/nothing", "", "", "", ""},
		{"no such method", "PATCH", "/api/pots", "", "", "", ""},
		{"an event stream", "GET", "/api/steam", "", "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, test.listed)
			var reports []string
			client := http.Client{Transport: c.Transport(withToken{server.Client.Transport}, func(err error) {
				reports = append(reports, err.Error())
			})}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, test.method, server.URL+test.path, strings.NewReader(test.body))
			require.NoError(t, err)
			req.Header.Set("Content-Type", test.contentType)
			res, err := client.Do(req)
			require.NoError(t, err)
			if res.Header.Get("Content-Type") != "text/event-stream" {
				_, err = io.ReadAll(res.Body)
				require.NoError(t, err)
			}
			require.NoError(t, res.Body.Close())
			if test.want == "" {
				require.Empty(t, reports)
				return
			}
			require.Len(t, reports, 1)
			require.Contains(t, reports[0], test.want)
		})
	}
}

func TestContract_AnUndocumentedStatusIsReported(t *testing.T) {
	t.Parallel()
	c := contract(t, "        '204': {description: It is gone.}\n", "        '200': {description: It is gone.}\n")
	server := serve(t, "")
	var reports []error
	client := http.Client{Transport: c.Transport(withToken{server.Client.Transport}, func(err error) { reports = append(reports, err) })}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, server.URL+"/api/pots/a", nil)
	require.NoError(t, err)
	res, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Len(t, reports, 1)
	require.ErrorContains(t, reports[0], "status is not supported")
}
