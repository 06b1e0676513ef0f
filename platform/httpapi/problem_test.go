package httpapi_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"telltale/platform/fault"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
)

// failing is a route that returns the error.
func failing(err error) httpapi.Routes {
	return httpapi.Routes{Name: "failing", Mount: func(api fiber.Router) {
		api.Get("/fail", func(*fiber.Ctx) error { return err })
	}}
}

func problemOf(t *testing.T, res *http.Response) httpapi.Problem {
	t.Helper()
	defer res.Body.Close()
	require.Equal(t, httpapi.ProblemType, res.Header.Get("Content-Type"))
	var p httpapi.Problem
	decoder := json.NewDecoder(res.Body)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&p))
	require.Equal(t, res.StatusCode, p.Status)
	require.Equal(t, res.Header.Get("X-Request-ID"), p.RequestID)
	require.NotEmpty(t, p.RequestID)
	require.NotEmpty(t, p.Title)
	require.True(t, strings.HasPrefix(p.Type, "urn:telltale:problem:"))
	return p
}

func TestProblem_EveryKindOfFaultHasItsStatus(t *testing.T) {
	t.Parallel()
	for kind, status := range map[fault.Kind]int{
		fault.Internal: 500, fault.Invalid: 422, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404,
		fault.Conflict: 409, fault.TooLarge: 413, fault.UnsupportedMedia: 415, fault.NotAcceptable: 406,
		fault.MethodNotAllowed: 405, fault.TooManyRequests: 429, fault.Unavailable: 503,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			url := httpservertest.New(t, failing(fmt.Errorf("wrapped: %w", fault.New(kind, "because of %d", 7))))
			res, err := http.Get(url + "/api/fail?access_token=secret")
			require.NoError(t, err)
			p := problemOf(t, res)
			require.Equal(t, status, p.Status)
			require.Equal(t, "/api/fail", p.Instance)
			if kind != fault.Internal {
				require.Equal(t, "because of 7", p.Detail)
			}
			require.Equal(t, status == 401, res.Header.Get("WWW-Authenticate") != "")
			require.Equal(t, status == 429 || status == 503, res.Header.Get("Retry-After") == "1")
		})
	}
}

func TestProblem_AnInvalidRequestIsToldEveryFieldAtFault(t *testing.T) {
	t.Parallel()
	fields := []fault.Field{{Name: "from", Reason: "is after to"}, {Name: "limit", Reason: "must be positive"}}
	url := httpservertest.New(t, failing(&fault.Fault{Kind: fault.Invalid, Fields: fields}))
	res, err := http.Get(url + "/api/fail")
	require.NoError(t, err)
	require.Equal(t, fields, problemOf(t, res).Errors)
}

func TestProblem_CanBeReadInATerminal(t *testing.T) {
	t.Parallel()
	url := httpservertest.New(t, failing(fault.InvalidField("since", "must be <seq>:<n> & no more")))
	res, err := http.Get(url + "/api/fail")
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), "must be <seq>:<n> & no more")
}

func TestProblem_RetryAfterIsInWholeSecondsRoundedUp(t *testing.T) {
	t.Parallel()
	url := httpservertest.New(t, failing(fault.Busy(1500*time.Millisecond, nil, "full")))
	res, err := http.Get(url + "/api/fail")
	require.NoError(t, err)
	require.Equal(t, "full", problemOf(t, res).Detail)
	require.Equal(t, "2", res.Header.Get("Retry-After"))
}

func TestProblem_AnEventSourceIsToldToComeBackWhereOthersGetA503(t *testing.T) {
	t.Parallel()
	ask := func(err error, method, accept string) (*http.Response, string) {
		url := httpservertest.New(t, failing(err))
		req, err := http.NewRequestWithContext(t.Context(), method, url+"/api/fail", nil)
		require.NoError(t, err)
		req.Header.Set("Accept", accept)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res, string(body)
	}
	away := fault.Busy(2*time.Second, nil, "the database is not available")
	waits := map[string]bool{}
	for range 5 {
		res, body := ask(away, "GET", "text/event-stream")
		require.Equal(t, 200, res.StatusCode)
		require.Equal(t, "text/event-stream; charset=utf-8", res.Header.Get("Content-Type"))
		require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
		require.Regexp(t, `^: the database is not available\nretry: [2-5]\d{3}\n\n$`, body)
		waits[body] = true
	}
	require.Greater(t, len(waits), 1, "not all come back at the same moment")
	for _, accept := range []string{"*/*", "application/json", "application/json, text/event-stream"} {
		res, _ := ask(away, "GET", accept)
		require.Equal(t, 503, res.StatusCode)
	}
	res, _ := ask(&fault.Fault{Kind: fault.TooManyRequests, RetryAfter: time.Second}, "GET", "text/event-stream")
	require.Equal(t, 429, res.StatusCode)
	require.Equal(t, "1", res.Header.Get("Retry-After"))
}

func TestChallenge_NamesATokenThatWasGivenAndRefused(t *testing.T) {
	t.Parallel()
	url := httpservertest.New(t, failing(fault.New(fault.Unauthenticated, `the "token" has expired`)))
	for header, want := range map[string]string{
		"":          `Bearer realm="telltale"`,
		"Bearer x":  `Bearer realm="telltale", error="invalid_token", error_description="the 'token' has expired"`,
		"Basic eHg": `Bearer realm="telltale"`,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/fail", nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", header)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		problemOf(t, res)
		require.Equal(t, want, res.Header.Get("WWW-Authenticate"))
	}
}

func TestChallenge_OfAHandlerIsKept(t *testing.T) {
	t.Parallel()
	url := httpservertest.New(t, httpapi.Routes{Name: "own", Mount: func(api fiber.Router) {
		api.Get("/fail", func(c *fiber.Ctx) error {
			c.Set("WWW-Authenticate", "Own")
			return fault.New(fault.Unauthenticated, "no")
		})
	}})
	res, err := http.Get(url + "/api/fail")
	require.NoError(t, err)
	problemOf(t, res)
	require.Equal(t, []string{"Own"}, res.Header.Values("WWW-Authenticate"))
}

func TestProblem_InternalErrorsStayInTheLog(t *testing.T) {
	t.Parallel()
	log, logs := httpservertest.WatchedLog()
	server := httpservertest.Serve(t, []httpapi.Routes{failing(errors.New("password is hunter2"))}, httpservertest.WithLog(log))
	res, err := server.Client.Get(server.URL + "/api/fail")
	require.NoError(t, err)
	p := problemOf(t, res)
	require.NotContains(t, p.Detail, "hunter2")
	entries := logs.FilterLevelExact(zapcore.ErrorLevel).All()
	require.Len(t, entries, 1)
	require.Equal(t, "password is hunter2", entries[0].ContextMap()["error"])
	require.Equal(t, p.RequestID, entries[0].ContextMap()["request_id"])
	require.NotEmpty(t, entries[0].Stack)
}

func TestProblem_APanicIsA500WithTheStackOfThePanicInTheLog(t *testing.T) {
	t.Parallel()
	log, logs := httpservertest.WatchedLog()
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "panic", Mount: func(api fiber.Router) {
		api.Get("/panic", panicking)
	}}}, httpservertest.WithLog(log))
	for range 2 { // the connection survives
		res, err := server.Client.Get(server.URL + "/api/panic")
		require.NoError(t, err)
		require.Equal(t, 500, problemOf(t, res).Status)
	}
	entries := logs.FilterLevelExact(zapcore.ErrorLevel).All()
	require.Len(t, entries, 2)
	require.Empty(t, entries[0].Stack)
	require.Contains(t, entries[0].ContextMap()["stacktrace"], "panicking")
	require.Equal(t, "panic: so it goes", entries[0].ContextMap()["error"])
}

func panicking(*fiber.Ctx) error { panic("so it goes") }

func TestProblem_WhatFiberRefusesIsAProblemToo(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "some", Mount: func(api fiber.Router) {
		api.Post("/things", func(c *fiber.Ctx) error {
			if _, err := httpserver.Body(c, 1000); err != nil {
				return err
			}
			return c.SendString("done")
		})
	}}})
	for _, test := range []struct {
		name, method, path string
		body               io.Reader
		header             string
		status             int
		allow              string
	}{
		{"no route", "GET", "/api/nothing", nil, "", 404, ""},
		{"other case", "POST", "/API/things", nil, "", 404, ""},
		{"other method", "PUT", "/api/things", nil, "", 405, "POST"},
		{"unknown method", "FROB", "/api/things", nil, "", 501, ""},
		{"long body", "POST", "/api/things", strings.NewReader(strings.Repeat("x", 8<<20)), "", 413, ""},
		{"long chunked body", "POST", "/api/things", struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 8<<20))}, "", 413, ""},
		{"long header", "POST", "/api/things", nil, strings.Repeat("x", 40<<10), 431, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), test.method, server.URL+test.path, test.body)
			require.NoError(t, err)
			req.Header.Set("X-Long", test.header)
			res, err := server.Client.Do(req)
			require.NoError(t, err)
			require.Equal(t, test.status, problemOf(t, res).Status)
			require.Equal(t, test.allow, res.Header.Get("Allow"))
		})
	}
}

func TestProblem_WhatIsNoHTTPIsAProblemToo(t *testing.T) {
	t.Parallel()
	log, logs := httpservertest.WatchedLog()
	server := httpservertest.Serve(t, nil, httpservertest.WithLog(log))
	for _, text := range []string{
		"HELLO\r\n\r\n",
		"POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
		"GET /api/x HTTP/1.1\r\nHost: x\r\nAuthorization Bearer sesame: x\r\n\r\n",
	} {
		nc, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(nc, text)
		require.NoError(t, err)
		res, err := http.ReadResponse(bufio.NewReader(nc), nil)
		require.NoError(t, err)
		require.Equal(t, 400, problemOf(t, res).Status)
		require.NoError(t, nc.Close())
	}
	for _, entry := range logs.All() {
		require.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "sesame")
	}
}
