package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"telltale/platform/retry"
)

// connection asks a server, and asks again while it says that it might work later. It is safe for concurrent use.
type connection struct {
	server Server
	http   *http.Client
	// heard is when the server last answered, in Unix nanoseconds; 0 before it ever did.
	heard atomic.Int64
}

func connect(server Server, requests int) *connection {
	server.URL = strings.TrimSuffix(server.URL, "/")
	client := server.HTTP
	if client == nil {
		client = &http.Client{Timeout: tryLimit, Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: requests,
		}}
	}
	return &connection{server: server, http: client}
}

func (c *connection) close() { c.http.CloseIdleConnections() }

// call sends a request until it is answered, and returns the body of a success. The error is a *Refusal for an answer
// that means the request itself.
func (c *connection) call(ctx context.Context, method, path, contentType string, body []byte) ([]byte, error) {
	for {
		status, wait, content, err := c.try(ctx, method, path, contentType, body)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil && !c.mayReturn():
			return nil, err
		case err == nil && status < 300:
			return content, nil
		case err == nil && !later(status):
			return nil, refusal(status, content)
		}
		if err := retry.Pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// try sends a request once. Wait is how long to leave the server alone before the next time.
func (c *connection) try(
	ctx context.Context, method, path, contentType string, body []byte,
) (status int, wait time.Duration, content []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.server.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, 0, nil, err
	}
	if c.server.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.server.Token)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, pauseUnasked, nil, err
	}
	defer response.Body.Close()
	c.heard.Store(time.Now().UnixNano())
	content, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, pauseUnasked, nil, fmt.Errorf("reading the answer to %s: %w", method, err)
	}
	return response.StatusCode, retry.After(response.Header, pauseUnasked, maxPause), content, nil
}

// mayReturn reports whether a server that cannot be reached is likely to come back: one that never answered may just as
// well be another one's address.
func (c *connection) mayReturn() bool {
	heard := c.heard.Load()
	return heard != 0 && time.Since(time.Unix(0, heard)) < patience
}

// later reports whether the status asks to come back.
func later(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// refusal returns the error that an answer is.
func refusal(status int, content []byte) *Refusal {
	var said struct {
		Detail, Message string
		Errors          []complaint
	}
	r := &Refusal{Status: status, body: content}
	if err := json.Unmarshal(content, &said); err != nil {
		r.Message = fmt.Sprintf("%.200q", content)
		return r
	}
	if r.Message = said.Detail; r.Message == "" {
		r.Message = said.Message // has the complaints in it
		return r
	}
	for i, e := range said.Errors {
		if i == 3 {
			r.Message += "; …"
			break
		}
		r.Message += "; " + e.Field + ": " + e.Reason
	}
	return r
}
