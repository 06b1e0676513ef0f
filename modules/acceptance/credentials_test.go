package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// tokenOf logs in.
func (p *program) tokenOf(ctx context.Context, username, password string) (string, error) {
	form := url.Values{"username": {username}, "password": {password}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/api/auth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	return answer.AccessToken, json.NewDecoder(response.Body).Decode(&answer)
}

// sign returns a token of an outside service that shares the secret, with claims that replace those of a good one; nil
// takes one out.
func sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	return signAs(t, jwt.SigningMethodHS256, []byte(secretKey), claims)
}

func signAs(t testing.TB, method jwt.SigningMethod, key any, replace map[string]any) string {
	t.Helper()
	claims := jwt.MapClaims{"sub": "acceptance", "scope": "admin", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range replace {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	require.NoError(t, err)
	return token
}

// bearer adds credentials to requests.
type bearer struct{ authorization string }

func (b bearer) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	if b.authorization != "" {
		request.Header.Set("Authorization", b.authorization)
	}
	return http.DefaultTransport.RoundTrip(request)
}

// asProblem refuses answers that are no problem details, except to clients of InfluxDB, who expect another shape.
type asProblem struct{ next http.RoundTripper }

func (a asProblem) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := a.next.RoundTrip(request)
	want := "application/problem+json"
	if strings.HasSuffix(request.URL.Path, "/write") || request.URL.Path == "/query" {
		want = "application/json"
	}
	if err == nil && response.Header.Get("Content-Type") != want {
		response.Body.Close()
		return nil, errors.New("the answer is no problem but " + response.Header.Get("Content-Type"))
	}
	return response, err
}
