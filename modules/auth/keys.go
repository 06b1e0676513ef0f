package auth

import (
	"context"
	"time"

	"go.uber.org/zap"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keytext"
	"telltale/modules/auth/lookup"
	"telltale/platform/fault"
)

// Keys makes, checks and revokes API keys.
//
// What the database says about a key is remembered for a few seconds, so that ingest does not ask it each time. A key
// that is revoked stops working at once on the instance that revoked it, and within seconds on every other; while the
// database is away, keys seen lately go on working.
type Keys struct {
	store   store
	records *lookup.Cache[keyRecord]
	now     func() time.Time
	log     *zap.Logger
}

// NewKeys returns the API keys kept in the database.
func NewKeys(db database, log *zap.Logger) *Keys { return newKeys(store{db}, time.Now, log) }

func newKeys(s store, now func() time.Time, log *zap.Logger) *Keys {
	return &Keys{store: s, records: lookup.New(now, s.key), now: now, log: log}
}

// Create makes a key and returns it with its text, which is never to be had again. It returns a Forbidden fault when the
// key would cover devices that by does not.
func (k *Keys) Create(ctx context.Context, by access.Principal, key NewKey) (APIKey, string, error) {
	if err := by.CheckGrant(key.Devices); err != nil {
		return APIKey{}, "", err
	}
	id, secret := keytext.Generate()
	created, err := k.store.insertKey(ctx, key, id, keytext.Hash(secret), by.Subject)
	if err != nil {
		return APIKey{}, "", err
	}
	k.log.Info("API key created", zap.String("id", id), zap.String("name", key.Name), zap.String("by", by.Subject))
	return created, keytext.Format(id, secret), nil
}

// List returns up to limit keys that by may see, in order of id, those after the id given; revoked ones only when asked.
// More says whether there may be others behind them.
func (k *Keys) List(ctx context.Context, by access.Principal, revoked bool, after string, limit int) (keys []APIKey, more bool, err error) {
	return access.Visible(by, after, limit, func(after string, limit int) ([]APIKey, error) {
		return k.store.keys(ctx, revoked, after, limit)
	}, func(key APIKey) (string, []string) { return key.ID, key.Devices })
}

// Revoke ends a key for good; a key that has been revoked before stays so. It returns NotFound when there is none that
// by may see.
func (k *Keys) Revoke(ctx context.Context, by access.Principal, id string) error {
	key, found, err := k.store.key(ctx, id)
	if err != nil {
		return err
	}
	if !found || !by.CoversAll(key.Devices) {
		return noSuchKeyHere()
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
func (k *Keys) Verify(ctx context.Context, text string) (access.Principal, error) {
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

// current returns what the key of a principal stands for by now.
func (k *Keys) current(ctx context.Context, id string) (access.Principal, error) {
	record, found, err := k.records.Get(ctx, id)
	if err != nil {
		return access.Principal{}, err
	}
	if !found || record.endedAt(k.now()) {
		return access.Principal{}, noSuchKey()
	}
	return record.principal(), nil
}

func noSuchKey() error {
	return fault.New(fault.Unauthenticated, "the API key is not valid")
}

func noSuchKeyHere() error { return fault.New(fault.NotFound, "there is no such API key") }
