package httpserver_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
)

// guarded reads bodies of those with the word only, and tells when it has one.
func guarded(has chan<- int, release <-chan struct{}) []httpapi.Routes {
	return []httpapi.Routes{{Name: "guarded", Mount: func(api fiber.Router) {
		api.Post("/guarded", func(c *fiber.Ctx) error {
			if c.Get("Authorization") != "Bearer sesame" {
				return fault.New(fault.Unauthenticated, "no word")
			}
			body, err := httpserver.Body(c, 16<<20)
			if err != nil {
				return err
			}
			if has != nil {
				has <- len(body)
				<-release
			}
			return c.SendString(fmt.Sprint(len(body)))
		})
		api.Get("/free", func(c *fiber.Ctx) error { return c.SendString("free") })
	}}}
}

const (
	unnamed = "Host: x\r\n"
	named   = "Host: x\r\nAuthorization: Bearer sesame\r\n"
)

func TestBody_IsNotReadBeforeCredentials(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, guarded(nil, nil))
	for name, test := range map[string]struct {
		head   string
		status int
	}{
		"without a token":          {"POST /api/guarded HTTP/1.1\r\n" + unnamed + "Content-Length: 16777216\r\n\r\n", 401},
		"without a token, chunked": {"POST /api/guarded HTTP/1.1\r\n" + unnamed + "Transfer-Encoding: chunked\r\n\r\n", 401},
		"asking first":             {"POST /api/guarded HTTP/1.1\r\n" + unnamed + "Expect: 100-continue\r\nContent-Length: 16777216\r\n\r\n", 401},
		"no such path":             {"POST /api/nothing HTTP/1.1\r\n" + named + "Content-Length: 16777216\r\n\r\n", 404},
		"no such method":           {"PUT /api/guarded HTTP/1.1\r\n" + named + "Content-Length: 16777216\r\n\r\n", 405},
		"unknown method":           {"FROB /api/guarded HTTP/1.1\r\n" + named + "Content-Length: 16777216\r\n\r\n", 501},
		"with GET":                 {"GET /api/free HTTP/1.1\r\n" + named + "Content-Length: 16777216\r\n\r\n", 200},
		"too long":                 {"POST /api/guarded HTTP/1.1\r\n" + named + "Content-Length: 16777217\r\n\r\n", 413},
		"too long, asking first":   {"POST /api/guarded HTTP/1.1\r\n" + named + "Expect: 100-continue\r\nContent-Length: 16777217\r\n\r\n", 413},
		"too long a chunk":         {"POST /api/guarded HTTP/1.1\r\n" + named + "Transfer-Encoding: chunked\r\n\r\n1000001\r\n", 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := dial(t, server.URL)
			client.send(test.head)
			res, _ := client.answer() // although not one byte of the body has been sent
			require.Equal(t, test.status, res.StatusCode)
			require.True(t, res.Close)
			client.ended()
		})
	}
}

func TestBody_RefusedWhileItIsSentLeavesTheAnswerReadable(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, guarded(nil, nil))
	for _, path := range []string{"/api/guarded", "/api/nothing"} {
		client := dial(t, server.URL)
		client.send("POST " + path + " HTTP/1.1\r\n" + unnamed + "Content-Length: 8388608\r\n\r\n")
		client.send(strings.Repeat("x", 8<<20))
		res, _ := client.answer()
		require.Contains(t, []int{401, 404}, res.StatusCode)
	}
}

func TestBody_ThatCameWithARefusedHeadKeepsTheConnection(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, guarded(nil, nil))
	client := dial(t, server.URL)
	client.send("POST /api/guarded HTTP/1.1\r\n" + unnamed + "Content-Length: 5\r\n\r\nabcde")
	res, _ := client.answer()
	require.Equal(t, 401, res.StatusCode)
	client.get("/api/free")
	_, body := client.answer()
	require.Equal(t, "free", body)
}

func TestBody_IsInvitedAfterCredentials(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, guarded(nil, nil))
	client := dial(t, server.URL)
	client.send("POST /api/guarded HTTP/1.1\r\n" + named + "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n")
	line, err := client.in.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	_, err = client.in.ReadString('\n')
	require.NoError(t, err)
	client.send("abcde")
	_, body := client.answer()
	require.Equal(t, "5", body)
	client.get("/api/free")
	_, body = client.answer()
	require.Equal(t, "free", body)
}

func TestBody_OfOneRequestTooManyIsRefusedWhileOthersFillTheBudget(t *testing.T) {
	t.Parallel()
	has, release := make(chan int), make(chan struct{})
	server := httpservertest.Serve(t, guarded(has, release), httpservertest.WithConfig(config.HTTP{MaxBodyBytes: 1 << 20, BodyBudgetBytes: 2 << 20}))
	long := strings.Repeat("x", 1<<20)
	var holders []*raw
	for range 2 {
		client := dial(t, server.URL)
		client.send(fmt.Sprintf("POST /api/guarded HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", named, len(long), long))
		require.Equal(t, len(long), <-has)
		holders = append(holders, client)
	}
	for _, body := range []string{"Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3e8\r\n"} {
		client := dial(t, server.URL)
		client.send("POST /api/guarded HTTP/1.1\r\n" + named + body)
		res, _ := client.answer()
		require.Equal(t, 503, res.StatusCode)
		require.NotEmpty(t, res.Header.Get("Retry-After"))
		client.ended()
	}
	close(release)
	for _, client := range holders {
		_, body := client.answer()
		require.Equal(t, "1048576", body)
	}
	client := dial(t, server.URL) // what they had is there again
	client.send(fmt.Sprintf("POST /api/guarded HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", named, len(long), long))
	require.Equal(t, len(long), <-has)
	_, body := client.answer()
	require.Equal(t, "1048576", body)
}

func TestBody_ThatEndsEarlyIsNoFailureOfTheServer(t *testing.T) {
	t.Parallel()
	log, logs := httpservertest.WatchedLog()
	server := httpservertest.Serve(t, guarded(nil, nil), httpservertest.WithLog(log))
	for _, part := range []string{"Content-Length: 1000\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab", "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"} {
		client := dial(t, server.URL)
		client.send("POST /api/guarded HTTP/1.1\r\n" + named + part)
		require.NoError(t, client.Close())
	}
	require.Eventually(t, func() bool { return logs.FilterMessage("request").Len() == 3 }, time.Minute, time.Millisecond)
	for _, entry := range logs.FilterMessage("request").All() {
		require.EqualValues(t, 499, entry.ContextMap()["status"])
		require.Equal(t, "info", entry.Level.String())
	}
}

func TestBody_OfManyChunksComesWhole(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, echoing)
	text := strings.Repeat("0123456789", 50_000)
	for _, piece := range []int{1 << 10, 7777, len(text)} {
		pieces := io.MultiReader(strings.NewReader(text[:piece]), struct{ io.Reader }{strings.NewReader(text[piece:])})
		res, err := server.Client.Post(server.URL+"/api/echo", "", pieces)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.Equal(t, text, string(body))
	}
}

func TestBody_WhatIsMadeOfOneCountsForTheBudgetUntilTheAnswer(t *testing.T) {
	t.Parallel()
	has, release := make(chan int), make(chan struct{})
	routes := []httpapi.Routes{{Name: "inflating", Mount: func(api fiber.Router) {
		api.Post("/inflating", func(c *fiber.Ctx) error {
			if _, err := httpserver.Body(c, 1<<20); err != nil {
				return err
			}
			if err := httpserver.Reserve(c, 3<<20); err != nil {
				return err
			}
			has <- 0
			<-release
			return c.SendString("whole")
		})
	}}}
	server := httpservertest.Serve(t, routes, httpservertest.WithConfig(config.HTTP{MaxBodyBytes: 1 << 20, BodyBudgetBytes: 2 << 20}))
	request := "POST /api/inflating HTTP/1.1\r\n" + unnamed + "Content-Length: 5\r\n\r\nabcde"
	for range 2 { // the second time shows that the first has given back what it took
		alone, other := dial(t, server.URL), dial(t, server.URL)
		alone.send(request)
		<-has // it has more than the budget, since no other is there
		other.send(request)
		res, _ := other.answer()
		require.Equal(t, 503, res.StatusCode)
		require.NotEmpty(t, res.Header.Get("Retry-After"))
		release <- struct{}{}
		_, body := alone.answer()
		require.Equal(t, "whole", body)
	}
}
