package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"telltale/platform/retry"
)

const (
	// patience is how long the client waits before it tries again when the server does not say.
	patience = time.Second
	// maxPatience bounds what the server may ask for.
	maxPatience = time.Minute
	// answerLimit bounds how long one request may take.
	answerLimit = time.Minute
	// maxAnswer bounds an answer in bytes; a hundred devices with all their metrics have about 100,000.
	maxAnswer = 16 << 20
)

// client calls the API as any device or script would, and does not give up while the server says that it might work
// later. It is used by one goroutine at a time.
type client struct {
	address    func() string
	credential *credential
	http       *http.Client
	log        *zap.Logger
	pause      func(context.Context, time.Duration) error
}

func newClient(address func() string, credential *credential, log *zap.Logger) *client {
	transport := &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext}
	return &client{
		address: address, credential: credential, log: log, pause: retry.Pause,
		http: &http.Client{Transport: transport, Timeout: answerLimit},
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// refusal is an answer that trying again would not change.
type refusal struct {
	status int
	body   string
}

func (r *refusal) Error() string { return fmt.Sprintf("the server answered %d: %s", r.status, r.body) }

// call sends a request until it is accepted, and decodes the answer into the value given unless that is nil. It returns
// a *refusal for an answer that means the request itself, and the context's error once that has ended.
func (c *client) call(ctx context.Context, method, path string, body []byte, answer any) error {
	renewed := false
	for attempt := 1; ; attempt++ {
		status, wait, content, err := c.try(ctx, method, path, body)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && status == http.StatusUnauthorized && !renewed:
			renewed = true
			c.credential.renew()
			continue
		case err == nil && status < 300:
			if answer == nil {
				return nil
			}
			if err := json.Unmarshal(content, answer); err != nil {
				return fmt.Errorf("decoding the answer to %s %s: %w", method, path, err)
			}
			return nil
		case err == nil && status < 500 && status != http.StatusTooManyRequests:
			return fmt.Errorf("%s %s: %w", method, path, &refusal{status, string(content)})
		}
		if attempt == 1 {
			c.log.Warn("the server does not take the demo's request yet; trying again",
				zap.String("method", method), zap.Int("status", status), zap.Duration("wait_ms", wait), zap.Error(err))
		}
		if err := c.pause(ctx, wait); err != nil {
			return err
		}
	}
}

// try sends a request once. Wait is how long to leave the server alone before the next time.
func (c *client) try(ctx context.Context, method, path string, body []byte) (status int, wait time.Duration, content []byte, err error) {
	token, err := c.credential.token(ctx)
	if err != nil {
		return 0, patience, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, c.address()+path, bytes.NewReader(body))
	if err != nil {
		return 0, patience, nil, fmt.Errorf("making a request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, patience, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, retry.After(response.Header, patience, maxPatience), content, err
}

// awaitReady returns once the server says that all of it works.
func (c *client) awaitReady(ctx context.Context) error {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address()+"/readyz", http.NoBody)
		if err != nil {
			return fmt.Errorf("making a request: %w", err)
		}
		if response, err := c.http.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := c.pause(ctx, patience/4); err != nil {
			return err
		}
	}
}
