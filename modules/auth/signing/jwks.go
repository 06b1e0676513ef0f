package signing

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/MicahParks/keyfunc/v2"
	"github.com/golang-jwt/jwt/v5"
)

// The most keys of one set that are used, and the reasons why others are not that are told.
const (
	maxKeys    = 100
	maxLeftOut = 10
)

// publicKeys are the keys of a provider that fit the algorithm.
type publicKeys []publicKey

type publicKey struct {
	id             string // "" when the provider gives none, like use and algorithm
	use, algorithm string
	key            any
}

// parseKeySet reads a JWKS (RFC 7517). It returns the keys that can verify signatures by the algorithm, and why others cannot.
// A set in which no public key can be read is an error; one whose keys are for other algorithms is empty.
func parseKeySet(algorithm string, body []byte) (_ publicKeys, leftOut []string, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, nil, fmt.Errorf("read the key set: %w", err)
	}
	keys, readable := publicKeys{}, false
	for i, raw := range set.Keys {
		key, err := parseJWK(raw)
		if err == nil {
			readable = true
			err = key.verifies(algorithm)
		}
		switch {
		case err == nil && len(keys) < maxKeys:
			keys = append(keys, key)
		case err == nil:
			leftOut = append(leftOut, fmt.Sprintf("key %d: there are more than %d", i, maxKeys))
		default:
			leftOut = append(leftOut, fmt.Sprintf("key %d: %v", i, err))
		}
		if len(leftOut) > maxLeftOut {
			leftOut = leftOut[:maxLeftOut]
		}
	}
	if !readable {
		return nil, nil, fmt.Errorf("read the key set: none of its %d entries is a public key: %q", len(set.Keys), leftOut)
	}
	return keys, leftOut, nil
}

// parseJWK reads one key of a set. Symmetric keys have no place in a public list. What the libraries cannot cope with is an
// error: a panic here would end the program.
func parseJWK(raw json.RawMessage) (key publicKey, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("it cannot be read: %v", value)
		}
	}()
	var head *struct {
		ID  string `json:"kid"`
		Kty string `json:"kty"`
		Use string `json:"use"`
		Alg string `json:"alg"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return publicKey{}, err
	}
	switch {
	case head == nil:
		return publicKey{}, errors.New("it is null")
	case head.Kty == "oct":
		return publicKey{}, errors.New("it is a symmetric key")
	}
	public, err := decodeJWK(raw)
	if err != nil {
		return publicKey{}, err
	}
	return publicKey{head.ID, head.Use, head.Alg, public}, sound(public)
}

// verifies returns why the key cannot verify signatures by the algorithm, nil if it can.
func (k publicKey) verifies(algorithm string) error {
	switch {
	case k.use != "" && k.use != "sig":
		return fmt.Errorf("its use is %.16q", k.use)
	case k.algorithm != "" && k.algorithm != algorithm:
		return fmt.Errorf("it is for the algorithm %.16q", k.algorithm)
	}
	return fits(algorithm, k.key)
}

// decodeJWK returns the key that a JWK describes. The library is given one key at a time, so that it loses none to another of
// the same id.
func decodeJWK(raw json.RawMessage) (any, error) {
	one, err := json.Marshal(map[string]any{"keys": []json.RawMessage{raw}})
	if err != nil {
		return nil, err
	}
	set, err := keyfunc.NewJSON(one)
	if err != nil {
		return nil, err
	}
	for _, key := range set.ReadOnlyKeys() {
		return key, nil
	}
	return nil, errors.New("it is of no known type or curve, or incomplete")
}

// find returns the key, or keys, that the token may be signed with: those of the id in its header. A token without an id, and
// a key without one, go together with the only key or token there can be; where several keys may be meant it is an error.
func (k publicKeys) find(token *jwt.Token) (any, error) {
	id, isText := token.Header["kid"].(string)
	if _, given := token.Header["kid"]; given && !isText {
		return nil, errors.New("the token's kid is not a string")
	}
	var named jwt.VerificationKeySet
	for _, key := range k {
		if key.id == id && id != "" {
			named.Keys = append(named.Keys, key.key)
		}
	}
	switch {
	case len(named.Keys) > 0:
		return named, nil
	case len(k) == 1 && (id == "" || k[0].id == ""):
		return k[0].key, nil
	case id == "":
		return nil, errors.New("the token names no key (kid), and the provider has several that it may be signed with")
	case k.nameless():
		return nil, fmt.Errorf("the token names the key %.64q, and the provider has several keys, some without a name (kid)", id)
	}
	return nil, fmt.Errorf("the token names the key %.64q, which is none of the provider's", id)
}

// nameless reports whether some key has no id.
func (k publicKeys) nameless() bool {
	for _, key := range k {
		if key.id == "" {
			return true
		}
	}
	return false
}

// same reports whether two fetches brought the same keys.
func (k publicKeys) same(other publicKeys) bool { return reflect.DeepEqual(k, other) }
