// Package keys owns API keys: how they are made, stored, checked and revoked, and what is wrong with one that is asked for.
//
// It does not know requests: package auth finds the key's text in them and has the API. How the text of a key is built is package
// keytext's.
package keys

import (
	"context"
	"time"

	"go.uber.org/zap"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keytext"
	"telltale/modules/auth/lookup"
	"telltale/platform/fault"
)

// Service makes, checks and revokes API keys.
//
// What the database says about a key is remembered for a few seconds, so that ingest does not ask it each time. A key
// that is revoked stops working at once on the instance that revoked it, and within seconds on every other; while the
// database is away, keys seen lately go on working.
type Service struct {
	store   store
	records *lookup.Cache[record]
	now     func() time.Time
	log     *zap.Logger
}

// New returns the API keys kept in the database.
func New(db database, now func() time.Time, log *zap.Logger) *Service {
	s := store{db}
	return &Service{store: s, records: lookup.New(now, s.key), now: now, log: log}
}

// Create makes a key and returns it with its text, which is never to be had again. It returns a Forbidden fault when the
// key would cover devices that by does not.
func (k *Service) Create(ctx context.Context, by access.Principal, key Draft) (Key, string, error) {
	if err := by.CheckGrant(key.Devices); err != nil {
		return Key{}, "", err
	}
	id, secret := keytext.Generate()
	created, err := k.store.insertKey(ctx, key, id, keytext.Hash(secret), by.Subject)
	if err != nil {
		return Key{}, "", err
	}
	k.log.Info("API key created", zap.String("id", id), zap.String("name", key.Name), zap.String("by", by.Subject))
	return created, keytext.Format(id, secret), nil
}

// List returns up to limit keys that by may see, in order of id, those after the id given; revoked ones only when asked.
// More says whether there may be others behind them.
func (k *Service) List(ctx context.Context, by access.Principal, revoked bool, after string, limit int) (keys []Key, more bool, err error) {
	return access.Visible(by, after, limit, func(after string, limit int) ([]Key, error) {
		return k.store.keys(ctx, revoked, after, limit)
	}, func(key Key) (string, []string) { return key.ID, key.Devices })
}

// Revoke ends a key for good; a key that has been revoked before stays so. It returns NotFound when there is none that
// by may see.
func (k *Service) Revoke(ctx context.Context, by access.Principal, id string) error {
	if !keytext.IsID(id) { // the database does not take just any text
		return notFound()
	}
	key, found, err := k.store.key(ctx, id)
	if err != nil {
		return err
	}
	if !found || !by.CoversAll(key.Devices) {
		return notFound()
	}
	if err := k.store.revokeKey(ctx, id); err != nil {
		return err
	}
	k.records.Forget(id)
	k.log.Info("API key revoked", zap.String("id", id), zap.String("name", key.Name), zap.String("by", by.Subject))
	return nil
}

// Verify returns the principal that the key's text stands for, or an Unauthenticated fault: the same one whether the id
// is unknown, the secret wrong or the key at its end.
func (k *Service) Verify(ctx context.Context, text string) (access.Principal, error) {
	id, secret, ok := keytext.Parse(text)
	if !ok {
		return access.Principal{}, noSuchKey()
	}
	record, found, err := k.records.Get(ctx, id)
	if err != nil {
		return access.Principal{}, err
	}
	if !found || !record.has(secret) || record.endedAt(k.now()) {
		return access.Principal{}, noSuchKey()
	}
	return record.principal(), nil
}

// Current returns what the key with the id stands for by now, or an Unauthenticated fault once it has ended.
func (k *Service) Current(ctx context.Context, id string) (access.Principal, error) {
	record, found, err := k.records.Get(ctx, id)
	if err != nil {
		return access.Principal{}, err
	}
	if !found || record.endedAt(k.now()) {
		return access.Principal{}, noSuchKey()
	}
	return record.principal(), nil
}

// OnChange has changed called with the id after every key that this instance has revoked. Changed must not wait; there is one at most.
func (k *Service) OnChange(changed func(id string)) { k.records.OnForget(changed) }

func noSuchKey() error {
	return fault.New(fault.Unauthenticated, "the API key is not valid")
}

func notFound() error { return fault.New(fault.NotFound, "there is no such API key") }
