// Package signing holds the keys that sign and verify tokens: the secret of Telltale's own tokens, one configured public key, and
// the keys that an identity provider lists, which it fetches and keeps up to date. It validates keys from outside: a key that is
// malformed or does not fit the algorithm is not used.
//
// It knows nothing of a token but its header.
package signing

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/zap"

	"telltale/platform/fault"
)

const (
	keySetRefresh  = time.Hour        // how often the keys are fetched again
	keySetNameless = 5 * time.Minute  // the same for a set with keys that have no id: no token can ask for a new one
	keySetRetry    = 10 * time.Second // how soon after a failure, and at most how often for a key that is not known
	keySetComplain = time.Minute      // at most how often the log says why a token's key was not found
	keySetTimeout  = 10 * time.Second // for one fetch
	keySetPatience = 3 * time.Second  // how long a request waits for a fetch that may bring its key
	keySetBytes    = 1 << 20
)

// KeySet holds the public keys of an identity provider, as its JWKS URL lists them (RFC 7517), and keeps them up to date.
//
// Neither start nor an answer depends on the provider being there: until its keys have been fetched once, tokens are
// refused with an Unavailable fault; afterwards the last known keys stay in use. A token that names an unknown key has
// them fetched again, at most every ten seconds. What the provider sends is not trusted: a key that cannot be read, or that
// does not fit the algorithm, is left out, and the log says why.
type KeySet struct {
	url       string
	algorithm string
	client    *http.Client
	log       *zap.Logger
	// Retry is how soon the keys are fetched again after a failure, and at most how often for a key that is not known. It is
	// changed before Start only.
	Retry time.Duration

	wanted chan struct{} // capacity one: a request wants a fetch; sent to under mu
	cancel context.CancelFunc
	ended  chan struct{}

	mu         sync.Mutex
	keys       publicKeys    // nil until the first fetch has succeeded
	fetched    chan struct{} // closed by the next fetch, whatever its outcome
	last       time.Time     // when the last fetch ended
	complained time.Time     // when the log last said why a key was not found
}

// NewKeySet returns the keys behind the URL. An empty URL makes a set that Start and Stop leave alone.
func NewKeySet(url, algorithm string, log *zap.Logger) *KeySet {
	return &KeySet{
		url: url, algorithm: algorithm, log: log, Retry: keySetRetry,
		client: &http.Client{Timeout: keySetTimeout, Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: keySetTimeout,
		}},
		wanted: make(chan struct{}, 1), fetched: make(chan struct{}),
	}
}

// Start begins to fetch the keys, in the background.
func (k *KeySet) Start(context.Context) error {
	if k.url == "" {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel, k.ended = cancel, make(chan struct{})
	go k.run(ctx)
	return nil
}

// Stop returns once nothing is fetched any more.
func (k *KeySet) Stop(context.Context) error {
	if k.cancel != nil {
		k.cancel()
		<-k.ended
	}
	return nil
}

func (k *KeySet) run(ctx context.Context) {
	defer close(k.ended)
	for {
		wait, err := k.fetch(ctx)
		if err != nil && ctx.Err() == nil {
			k.log.Warn("the identity provider's keys could not be fetched", zap.String("url", k.url), zap.Error(err))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-k.wanted:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// fetch replaces the keys by those that the URL lists now, wakes all who wait for it, and returns when to fetch again.
func (k *KeySet) fetch(ctx context.Context) (next time.Duration, err error) {
	keys, leftOut, err := k.download(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	next = k.Retry
	if err == nil {
		next = refreshAfter(keys)
		k.report(keys, leftOut)
		k.keys = keys
	}
	k.last = time.Now()
	select {
	case <-k.wanted: // this fetch is what was wanted
	default:
	}
	close(k.fetched)
	k.fetched = make(chan struct{})
	return next, err
}

// refreshAfter returns when keys that have been fetched now are fetched again.
func refreshAfter(keys publicKeys) time.Duration {
	if keys.nameless() {
		return keySetNameless
	}
	return keySetRefresh
}

// report says in the log which keys of a fetch are new and which are of no use. The caller holds mu.
func (k *KeySet) report(keys publicKeys, leftOut []string) {
	if k.keys.same(keys) {
		return
	}
	k.log.Info("fetched the identity provider's keys", zap.String("url", k.url), zap.Int("keys", len(keys)))
	if len(leftOut) > 0 {
		k.log.Warn("some of the identity provider's keys are not used", zap.String("url", k.url), zap.Strings("reasons", leftOut))
	}
}

func (k *KeySet) download(ctx context.Context) (keys publicKeys, leftOut []string, err error) {
	body, err := k.get(ctx)
	if err != nil {
		return nil, nil, err
	}
	return parseKeySet(k.algorithm, body)
}

func (k *KeySet) get(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the key set: %w", err)
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := k.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask for the key set: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for the key set: the answer is %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, keySetBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	if len(body) > keySetBytes {
		return nil, fmt.Errorf("read the key set: it has more than %d bytes", keySetBytes)
	}
	return body, nil
}

// Find returns the public key that the token names in its header, or the only one that there is.
func (k *KeySet) Find(token *jwt.Token) (any, error) {
	keys, err := k.knowing(token)
	if err != nil {
		return nil, err
	}
	key, err := keys.find(token)
	if err != nil {
		k.complain(err, len(keys))
	}
	return key, err
}

// complain says in the log why a token's key was not found, now and then: anyone can send such tokens.
func (k *KeySet) complain(reason error, keys int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.complained) < keySetComplain {
		return
	}
	k.complained = time.Now()
	k.log.Warn("no key for a token", zap.Error(reason), zap.Int("keys", keys), zap.String("url", k.url))
}

// knowing returns the keys, after a fetch when they do not hold the token's and the last fetch was not just now.
func (k *KeySet) knowing(token *jwt.Token) (publicKeys, error) {
	k.mu.Lock()
	keys, fetched := k.keys, k.fetched
	_, unknown := keys.find(token)
	wait := unknown != nil && (k.last.IsZero() || time.Since(k.last) >= k.Retry)
	if wait {
		select {
		case k.wanted <- struct{}{}:
		default: // a fetch has been asked for already
		}
	}
	k.mu.Unlock()
	if wait {
		patience := time.NewTimer(keySetPatience)
		defer patience.Stop()
		select {
		case <-fetched:
		case <-patience.C:
		}
		k.mu.Lock()
		keys = k.keys
		k.mu.Unlock()
	}
	if keys == nil {
		return nil, fault.Busy(k.Retry, nil, "the identity provider's keys are not known yet")
	}
	return keys, nil
}
