package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"telltale/config"
)

const (
	signingKeyFile    = "jwt-secret"
	adminPasswordFile = "admin-password"
)

// Secrets holds the key that HS* tokens are signed with: the configured one, or one that is made once and kept in the
// data directory, readable by its owner alone, when Telltale runs its own PostgreSQL and nobody has configured any.
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
	text, made, err := keepSecret(path, func() string { return randomText(64) })
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

// signingKey returns the key, which must not be changed. It is empty when tokens come from elsewhere.
func (s *Secrets) signingKey() []byte { return s.key }

// randomText returns n random bytes as text.
func randomText(n int) string {
	random := make([]byte, n)
	rand.Read(random) // never fails: crypto/rand ends the program rather than return an error
	return base64.RawURLEncoding.EncodeToString(random)
}

// keepSecret returns the text in the file, which it makes first when there is none. The file is readable by its owner
// alone and appears whole or not at all; of several that make it at once, one wins and all return what it wrote.
func keepSecret(path string, invent func() string) (text string, made bool, err error) {
	text, err = readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, false, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", false, fmt.Errorf("make the data directory: %w", err)
	}
	made, err = writeNew(path, invent()+"\n")
	if err != nil {
		return "", false, err
	}
	text, err = readSecret(path)
	return text, made, err
}

func readSecret(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	text := strings.TrimSpace(string(content))
	if text == "" {
		return "", fmt.Errorf("the secret in %s is empty: remove the file to have another made", path)
	}
	return text, nil
}

// writeNew gives the path its content unless it exists, and reports whether it did.
func writeNew(path, content string) (made bool, err error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return false, fmt.Errorf("write a secret: %w", err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.WriteString(content)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return false, fmt.Errorf("write a secret: %w", err)
	}
	err = os.Link(temporary.Name(), path)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrExist):
		return false, nil
	}
	// A file system without hard links: the lock on the data directory has to do.
	if err := os.Rename(temporary.Name(), path); err != nil {
		return false, fmt.Errorf("write a secret: %w", err)
	}
	return true, nil
}
