// Package lifecycle runs an fx application as a process: it starts in time or says why not, stops on a signal within ten seconds,
// and exits at once on a later SIGINT.
//
// It knows no part of the application: the hooks of the parts determine what starts, in which order, and what stopping means.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/dig"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
)

const (
	// startLimit leaves a first start time to download PostgreSQL.
	startLimit = 10 * time.Minute
	// stopLimit is the time that supervisors commonly grant between SIGTERM and SIGKILL.
	stopLimit = 10 * time.Second
)

// ErrFailed is returned by Run when a part of the application asked for the end with a non-zero exit code. What went wrong
// is in the log.
var ErrFailed = errors.New("telltale had to stop; the log says why")

// Run starts the application and stops it on SIGINT, SIGTERM or fx.Shutdowner, whichever comes first. A signal during the
// start ends the contexts of the hooks under way, and stops what has been started. A later SIGINT ends the process on
// the spot. Errors are those of constructors and hooks, without fx's account of how it got there.
func Run(options ...fx.Option) error {
	interrupted, quit := notify()
	defer quit()
	app := fx.New(
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }), // unless the options know a better one
		fx.Decorate(func(lc fx.Lifecycle) fx.Lifecycle { return interruptible{lc, interrupted} }),
		fx.Options(options...),
	)
	if err := app.Err(); err != nil {
		return dig.RootCause(err)
	}
	end := app.Wait()
	if err := within(startLimit, app.Start); err != nil {
		_ = within(stopLimit, app.Stop) // fx has stopped the hooks; this ends its waiting for signals
		if interrupted.Err() != nil {
			return nil // the hook's error is that it was interrupted
		}
		return err
	}
	var asked fx.ShutdownSignal
	select {
	case <-interrupted.Done():
	case asked = <-end:
	}
	if err := within(stopLimit, app.Stop); err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	if asked.ExitCode != 0 {
		return ErrFailed
	}
	return nil
}

// echo is how long after a signal another is taken for the same one: shells and supervisors are known to signal a process
// and its group, and so the process twice.
var echo = 500 * time.Millisecond

// notify returns a context that ends with the first signal, and a function that stops listening. A later SIGINT is
// impatience.
func notify() (interrupted context.Context, quit func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	interrupted, interrupt := context.WithCancel(context.Background())
	ended, end := context.WithCancel(context.Background())
	joined := make(chan struct{})
	go func() {
		defer close(joined)
		var first time.Time
		for {
			select {
			case s := <-signals:
				switch {
				case first.IsZero():
					first = time.Now()
					interrupt()
				case s == os.Interrupt && time.Since(first) > echo:
					os.Exit(128 + int(syscall.SIGINT))
				}
			case <-ended.Done():
				return
			}
		}
	}()
	return interrupted, func() {
		signal.Stop(signals)
		interrupt()
		end()
		<-joined
	}
}

// within calls a step with a context that ends after the limit.
func within(limit time.Duration, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return step(ctx)
}

// interruptible is a lifecycle whose OnStart hooks are interrupted. The context given to fx itself must stay alive: fx
// would not stop what has been started once it has ended.
type interruptible struct {
	fx.Lifecycle
	interrupted context.Context //nolint:containedctx // it is the signal, not a call's context
}

// Append adds a hook.
func (i interruptible) Append(hook fx.Hook) {
	if start := hook.OnStart; start != nil {
		hook.OnStart = func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(i.interrupted, cancel)()
			return start(ctx)
		}
	}
	i.Lifecycle.Append(hook)
}
