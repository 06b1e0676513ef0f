// Package retry computes the pauses between tries: it reads how long an answer asks its client to wait, and waits.
//
// The caller decides how often to try and which errors to retry; for errors of the database see package postgres.
package retry

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"
)

// After reads a Retry-After in seconds, the form that Telltale uses. It returns unasked where the answer does not say, and
// never more than the most.
func After(answer http.Header, unasked, most time.Duration) time.Duration {
	seconds, err := strconv.Atoi(answer.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return unasked
	}
	return min(time.Duration(min(seconds, math.MaxInt32))*time.Second, most) // more seconds may not fit a Duration
}

// Pause returns after the time given, or with the cause of the context's end when that comes before.
func Pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
