package tokens

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/clocktest"
	"telltale/modules/auth/signing"
	"telltale/platform/fault"
	"telltale/platform/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const testSecret = "a-secret-of-the-tests-which-is-long-enough-for-HS512-and-more-0123"

// service is one with a clock and a log of its own.
type service struct {
	*Service
	clock *clocktest.Clock
	logs  *observer.ObservedLogs
}

// newService returns a service that signs with testSecret by HS256.
func newService(t *testing.T) service {
	return newServiceOf(t, config.Auth{Algorithm: "HS256", SecretKey: testSecret})
}

func newServiceOf(t *testing.T, cfg config.Auth) service {
	cfg.TokenLifetime = 30 * time.Minute
	core, logs := observer.New(zapcore.DebugLevel)
	log, clock := zap.New(core), clocktest.New()
	keySet := signing.NewKeySet(cfg.JWKSURL, cfg.Algorithm, log)
	keySet.Retry = time.Hour // no second fetch, however long the test takes
	require.NoError(t, keySet.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, keySet.Stop(t.Context())) })
	s, err := New(cfg, signing.NewSecrets(cfg, t.TempDir(), log), keySet, clock.Now, log)
	require.NoError(t, err)
	return service{s, clock, logs}
}

// verify verifies a token as the guard does, whose middleware calls the same parser.
func (s service) verify(text string) (access.Principal, error) {
	return s.Verify(text, func() (*jwt.Token, error) { return jwt.ParseWithClaims(text, s.Claims(), s.Key) })
}

// accepts reports whether the token is accepted; the test fails when it is refused for another reason than the token.
func (s service) accepts(t *testing.T, token string) bool {
	t.Helper()
	_, err := s.verify(token)
	if err != nil {
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err), err)
	}
	return err == nil
}
