// Package secretfile keeps generated secrets in files of the data directory, such as the key that signs tokens and the password of
// the first administrator. Only the owner can read a file, and a file is complete or absent.
//
// The package does not know what a secret is for.
package secretfile

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"telltale/config"
)

// randomText returns n random bytes as text.
func randomText(n int) string {
	random := make([]byte, n)
	rand.Read(random) // never fails: crypto/rand ends the program rather than return an error
	return base64.RawURLEncoding.EncodeToString(random)
}

// Keep returns the text in the file, which it makes of as many random bytes first when there is none. The file is readable by its owner
// alone and appears whole or not at all; of several that make it at once, one wins and all return what it wrote.
func Keep(path string, bytes int) (text string, made bool, err error) {
	text, err = readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, false, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", false, fmt.Errorf("make the data directory: %w", err)
	}
	made, err = writeNew(path, randomText(bytes)+"\n")
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
	text, err := config.FileText(content)
	if err != nil {
		return "", fmt.Errorf("the secret in %s: %w", path, err)
	}
	if text = strings.TrimSpace(text); text == "" {
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
