package tokens

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"telltale/modules/auth/strictjson"
)

// checkHeader returns an error when a token's header is ambiguous, or asks for what is not known here.
func checkHeader(token *jwt.Token) error {
	encoded, _, _ := strings.Cut(token.Raw, ".")
	header, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return fmt.Errorf("the token's header: %w", err)
	}
	members, err := strictjson.Members(header, []string{"alg", "crit", "kid", "b64"})
	if err != nil {
		return fmt.Errorf("the token's header: %w", err)
	}
	if _, critical := members["crit"]; critical {
		return errors.New("the token has critical header fields, none of which is known here")
	}
	return nil
}
