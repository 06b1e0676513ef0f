// Package demo simulates a hundred devices, so that every endpoint has something to show to a newcomer.
//
// It is an ordinary client of the HTTP API. It registers its devices, writes the last 24 hours of their history (or only what is
// missing since it last ran), and then posts their readings once a second until it is stopped.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// step is the distance between two readings of a series in the history that is filled in.
	step = 10 * time.Second
	// pace is the distance between two readings while the simulator runs.
	pace = time.Second
	// history is how far back a first run begins.
	history = 24 * time.Hour
	// longestGap bounds what a later run fills in when the simulator has been away for long.
	longestGap = 7 * 24 * time.Hour
)

// Simulator plays the fleet against a server.
type Simulator struct {
	fleet   []device
	api     *client
	visitor *credential // the login of a person who wants to look
	out     io.Writer
	log     *zap.Logger
	now     func() time.Time
	history time.Duration

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// New returns a simulator for the server whose base URL, without a slash at the end, address returns; it is asked after
// Start. It makes itself API keys by keys. What a person should see goes to out.
func New(address func() string, keys keyService, out io.Writer, log *zap.Logger) *Simulator {
	return &Simulator{
		fleet:   fleet(),
		api:     newClient(address, &credential{keys: keys, name: simulatorName, scopes: simulatorScopes}, log),
		visitor: &credential{keys: keys, name: "demo visitor", scopes: visitorScopes},
		out:     out, log: log, now: time.Now, history: history,
	}
}

// Start begins to simulate in the background, as soon as the server is ready.
func (s *Simulator) Start(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.done.Go(func() {
		if err := s.run(ctx); ctx.Err() == nil {
			s.log.Error("the demo has ended", zap.Error(err))
		}
	})
	return nil
}

// Stop ends the simulation, waits for the request under way to be given up, and revokes the API keys.
func (s *Simulator) Stop(ctx context.Context) error {
	if s.cancel == nil {
		return nil
	}
	s.cancel()
	s.done.Wait()
	s.api.close()
	if err := errors.Join(s.api.credential.revoke(ctx), s.visitor.revoke(ctx)); err != nil {
		s.log.Warn("the demo's API keys end by themselves within a day", zap.Error(err))
	}
	return nil
}

// run simulates until ctx ends, or until something cannot be mended by waiting; it always returns an error.
func (s *Simulator) run(ctx context.Context) error {
	if err := s.api.awaitReady(ctx); err != nil {
		return err
	}
	newest, err := s.register(ctx)
	if err != nil {
		return fmt.Errorf("registering the devices of the demo: %w", err)
	}
	if err := s.fill(ctx, newest); err != nil {
		return fmt.Errorf("writing the history of the demo: %w", err)
	}
	s.invite(ctx)
	return s.play(ctx)
}
