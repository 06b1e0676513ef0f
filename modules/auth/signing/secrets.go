package signing

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth/secretfile"
)

const signingKeyFile = "jwt-secret"

// Secrets holds the key that HS* tokens are signed with: the configured one, or one that is made once and kept in the
// data directory, readable by its owner alone, when Telltale runs its own PostgreSQL and none is configured.
type Secrets struct {
	dataDir string
	needed  bool // false when tokens come from an outside identity provider
	length  int  // the least that the algorithm asks for, in bytes
	key     []byte
	log     *zap.Logger
}

// NewSecrets returns the secrets; Start has to run before the key can be used.
func NewSecrets(cfg config.Auth, dataDir string, log *zap.Logger) *Secrets {
	bits := map[string]int{"HS256": 256, "HS384": 384, "HS512": 512}[cfg.Algorithm]
	return &Secrets{dataDir: dataDir, needed: bits > 0, length: bits / 8, key: []byte(cfg.SecretKey), log: log}
}

// Start reads or makes the key when none is configured.
func (s *Secrets) Start(context.Context) error {
	if !s.needed || len(s.key) > 0 {
		return nil
	}
	path := filepath.Join(s.dataDir, signingKeyFile)
	text, made, err := secretfile.Keep(path, 64)
	if err != nil {
		return fmt.Errorf("prepare the key that signs tokens: %w", err)
	}
	if len(text) < s.length {
		return fmt.Errorf("the key in %s has %d bytes, fewer than the %d that the algorithm needs: remove the file to have another made", path, len(text), s.length)
	}
	if made {
		s.log.Info("made a key to sign tokens with", zap.String("file", path))
	}
	s.key = []byte(text)
	return nil
}

// Key returns the key, which must not be changed. It is empty when tokens come from elsewhere.
func (s *Secrets) Key() []byte { return s.key }

// OwnKey reports whether the algorithm is one for which Telltale holds the key that signs.
func OwnKey(algorithm string) bool { return strings.HasPrefix(algorithm, "HS") }
