package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/MicahParks/keyfunc/v2"
	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/zap"

	"telltale/platform/fault"
)

const (
	keySetRefresh  = time.Hour        // how often the keys are fetched anew
	keySetRetry    = 10 * time.Second // how soon after a failure, and at most how often for a key that is not known
	keySetTimeout  = 10 * time.Second // for one fetch
	keySetPatience = 3 * time.Second  // how long a request waits for a fetch that may bring its key
	keySetBytes    = 1 << 20
)

// KeySet holds the public keys of an identity provider, as its JWKS URL lists them (RFC 7517), and keeps them up to date.
//
// Neither start nor an answer depends on the provider being there: until its keys have been fetched once, tokens are
// refused with an Unavailable fault; afterwards the last known keys stay in use. A token that names an unknown key has
// them fetched again, at most every ten seconds.
type KeySet struct {
	url       string
	algorithm string
	client    *http.Client
	log       *zap.Logger
	retry     time.Duration

	wanted chan struct{} // capacity one: somebody wants a fetch; sent to under mu
	cancel context.CancelFunc
	ended  chan struct{}

	mu      sync.Mutex
	keys    *keyfunc.JWKS // nil until the first fetch has succeeded
	known   map[string]any
	fetched chan struct{} // closed by the next fetch, whatever its outcome
	last    time.Time     // when the last fetch ended
}

// NewKeySet returns the keys behind the URL. An empty URL makes a set that Start and Stop leave alone.
func NewKeySet(url, algorithm string, log *zap.Logger) *KeySet {
	return &KeySet{
		url: url, algorithm: algorithm, log: log, retry: keySetRetry,
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
		wait := keySetRefresh
		if err := k.fetch(ctx); err != nil && ctx.Err() == nil {
			wait = k.retry
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

// fetch replaces the keys by those that the URL lists now, and wakes whoever waits for it.
func (k *KeySet) fetch(ctx context.Context) error {
	set, err := k.download(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		first := k.keys == nil
		k.keys, k.known = set, set.ReadOnlyKeys()
		if first {
			k.log.Info("fetched the identity provider's keys", zap.String("url", k.url), zap.Int("keys", len(k.known)))
		}
	}
	k.last = time.Now()
	select {
	case <-k.wanted: // whoever wanted a fetch has had this one
	default:
	}
	close(k.fetched)
	k.fetched = make(chan struct{})
	return err
}

func (k *KeySet) download(ctx context.Context) (*keyfunc.JWKS, error) {
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
	return parseKeySet(body)
}

// parseKeySet keeps the keys that may verify signatures. Symmetric ones have no place in a public list.
func parseKeySet(body []byte) (*keyfunc.JWKS, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	usable := make([]json.RawMessage, 0, len(set.Keys))
	for _, raw := range set.Keys {
		var key struct{ Kty, Use string }
		if err := json.Unmarshal(raw, &key); err == nil && key.Kty != "oct" && (key.Use == "" || key.Use == "sig") {
			usable = append(usable, raw)
		}
	}
	if len(usable) == 0 {
		return nil, errors.New("read the key set: it has no key for signatures")
	}
	filtered, err := json.Marshal(map[string]any{"keys": usable})
	if err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	return keyfunc.NewJSON(filtered)
}

// find returns the public key that the token names in its header.
func (k *KeySet) find(token *jwt.Token) (any, error) {
	id, _ := token.Header["kid"].(string)
	keys, err := k.knowing(id)
	if err != nil {
		return nil, err
	}
	key, err := keys.Keyfunc(token)
	if err != nil {
		return nil, err
	}
	return key, fits(k.algorithm, key)
}

// knowing returns the keys, after a fetch when they do not hold the id and the last fetch was not just now.
func (k *KeySet) knowing(id string) (*keyfunc.JWKS, error) {
	k.mu.Lock()
	keys, fetched, known := k.keys, k.fetched, k.known[id] != nil
	wait := !known && (k.last.IsZero() || time.Since(k.last) >= k.retry)
	if wait {
		select {
		case k.wanted <- struct{}{}:
		default: // somebody has asked already
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
		return nil, fault.Busy(k.retry, nil, "the identity provider's keys are not known yet")
	}
	return keys, nil
}
