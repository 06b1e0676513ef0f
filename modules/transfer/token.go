package transfer

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"telltale/config"
)

// Token returns the token to authenticate with: TELLTALE_TOKEN, or what the file TELLTALE_TOKEN_FILE holds. It is not taken
// from the command line, which every user of a machine can read.
func Token(getenv func(string) string) (string, error) {
	token, file := getenv("TELLTALE_TOKEN"), getenv("TELLTALE_TOKEN_FILE")
	switch {
	case token != "" && file != "":
		return "", errors.New("TELLTALE_TOKEN and TELLTALE_TOKEN_FILE are both set; set one of them")
	case token == "" && file == "":
		return "", errors.New("set TELLTALE_TOKEN to an API key or access token, or TELLTALE_TOKEN_FILE to a file that holds one")
	case token != "":
		return token, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading TELLTALE_TOKEN_FILE: %w", err)
	}
	text, err := config.FileText(content)
	if err != nil {
		return "", fmt.Errorf("reading TELLTALE_TOKEN_FILE: %s: %w", file, err)
	}
	if token = strings.TrimSpace(text); token == "" {
		return "", fmt.Errorf("reading TELLTALE_TOKEN_FILE: %s is empty", file)
	}
	return token, nil
}
