package config

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// vars are environment variables by name.
type vars map[string]string

// with returns a copy of v in which more are set.
func (v vars) with(more vars) vars {
	all := make(vars)
	for _, from := range []vars{v, more} {
		for name, value := range from {
			all[name] = value
		}
	}
	return all
}

// from loads variables as if they were the environment, on a machine without a terminal.
func from(t *testing.T, v vars) *loader {
	t.Helper()
	var l loader
	for name, value := range v {
		l.value(name).SetString(value)
	}
	return load(l.env, false)
}

// server is the least that a server of one's own needs.
func server() vars {
	return vars{
		"DB_HOST": "db.example", "DB_USERNAME": "telltale", "DB_DATABASE": "telltale",
		"JWT_SECRET_KEY": strings.Repeat("k", 32),
	}
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// publicPEM returns the public key in the form that identity providers publish.
func publicPEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func rsaPEM(t *testing.T, bits int) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	require.NoError(t, err)
	return publicPEM(t, &key.PublicKey)
}

func ecPEM(t *testing.T, curve elliptic.Curve) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return publicPEM(t, &key.PublicKey)
}

func edPEM(t *testing.T) string {
	t.Helper()
	key, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return publicPEM(t, key)
}

func TestLoad_OfAnEmptyEnvironmentRunsTheEmbeddedPostgreSQL(t *testing.T) {
	t.Parallel()
	cfg, err := from(t, nil).result()
	require.NoError(t, err)
	require.True(t, cfg.DB.Embedded())
	require.Equal(t, Config{
		DataDir: "./data",
		HTTP:    HTTP{Host: "127.0.0.1", Port: 8000, MaxBodyBytes: 16 << 20, BodyBudgetBytes: 256 << 20, AccessLogIngestSample: 1},
		Log:     Log{Level: "info", Format: "json"},
		DB: DB{
			Port: 5432, SSLMode: "prefer", MinConnections: 10, MaxConnections: 20,
			ConnectionTimeout: 30 * time.Second, StatementTimeout: 15 * time.Second, IdleTimeout: 5 * time.Minute, PreparedStatements: true,
		},
		Auth: Auth{Algorithm: "HS256", TokenLifetime: 30 * time.Minute, AdminUsername: "admin"},
		Readings: Readings{
			MaxQueuedReadings: 2_000_000, MaxUnfoldedReadings: 8_000_000, MaxSeries: 1_000_000, FoldReadings: 2_000_000,
			FoldInterval: time.Hour, WindowBytes: 64 << 20, LogRetention: 24 * time.Hour, MaxAheadDays: 400, QueryTimeout: time.Minute,
			QueryMaxPoints: 10_000_000,
		},
		Streaming: Streaming{MaxPerUser: 10_000, MaxPerAddress: 10_000, Heartbeat: 15 * time.Second, WriteTimeout: 30 * time.Second},
	}, cfg)
}

func TestLoad_ReadsEveryVariable(t *testing.T) {
	t.Parallel()
	cfg, err := from(t, vars{
		"HOST": "::", "PORT": "8080", "ALLOWED_ORIGINS": " https://a.example:443, http://B.example:8080 ,",
		"TRUSTED_PROXIES": "10.1.2.3/8, ::1,", "MAX_BODY_BYTES": "2048", "BODY_BUDGET_BYTES": "2097152", "ACCESS_LOG_INGEST_SAMPLE": "100", "DATA_DIR": "/srv/telltale", "LOG_LEVEL": "debug", "LOG_FORMAT": "console",
		"DB_HOST": "/run/postgresql", "DB_PORT": "6432", "DB_USERNAME": "u", "DB_PASSWORD": " p ", "DB_DATABASE": "d",
		"DB_SSLMODE": "verify-full", "DB_MIN_CONNECTIONS": "0", "DB_MAX_CONNECTIONS": "4",
		"DB_CONNECTION_TIMEOUT_SECS": "1", "DB_STATEMENT_TIMEOUT_SECS": "3", "DB_IDLE_TIMEOUT_SECS": "2", "DB_PREPARED_STATEMENTS": "false",
		"JWT_SECRET_KEY": strings.Repeat("k", 64), "JWT_ALGORITHM": "HS512", "JWT_ISSUER": "i", "JWT_AUDIENCE": "aud",
		"ACCESS_TOKEN_EXPIRE_MINUTES": "5", "ADMIN_USERNAME": "root", "ADMIN_PASSWORD": "correct horse",
		"READINGS_MAX_QUEUED": "1001", "READINGS_MAX_UNFOLDED": "1002", "MAX_SERIES": "77", "FOLD_READINGS": "3", "FOLD_INTERVAL_SECS": "4",
		"WINDOW_BYTES": "1048577", "LOG_RETENTION_HOURS": "6", "READINGS_RETENTION_DAYS": "12", "READINGS_MAX_AHEAD_DAYS": "77", "QUERY_TIMEOUT_SECS": "7", "QUERY_MAX_POINTS": "1003", "STREAM_MAX_PER_USER": "8",
		"STREAM_MAX_PER_ADDRESS": "9", "STREAM_HEARTBEAT_SECS": "10", "STREAM_WRITE_TIMEOUT_SECS": "11",
	}).result()
	require.NoError(t, err)
	require.Equal(t, Config{
		DataDir: "/srv/telltale",
		HTTP: HTTP{
			Host: "::", Port: 8080, MaxBodyBytes: 2048, BodyBudgetBytes: 2 << 20, AccessLogIngestSample: 100,
			AllowedOrigins: []string{"https://a.example", "http://b.example:8080"},
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		},
		Log: Log{Level: "debug", Format: "console"},
		DB: DB{
			Host: "/run/postgresql", Port: 6432, Username: "u", Password: " p ", Database: "d", SSLMode: "verify-full",
			MaxConnections: 4, ConnectionTimeout: time.Second, StatementTimeout: 3 * time.Second, IdleTimeout: 2 * time.Second,
		},
		Auth: Auth{
			SecretKey: strings.Repeat("k", 64), Algorithm: "HS512", Issuer: "i", Audience: "aud", TokenLifetime: 5 * time.Minute,
			AdminUsername: "root", AdminPassword: "correct horse",
		},
		Readings: Readings{
			MaxQueuedReadings: 1001, MaxUnfoldedReadings: 1002, MaxSeries: 77, FoldReadings: 3, FoldInterval: 4 * time.Second,
			WindowBytes: 1<<20 + 1, LogRetention: 6 * time.Hour, RetentionDays: 12, MaxAheadDays: 77, QueryTimeout: 7 * time.Second,
			QueryMaxPoints: 1003,
		},
		Streaming: Streaming{MaxPerUser: 8, MaxPerAddress: 9, Heartbeat: 10 * time.Second, WriteTimeout: 11 * time.Second},
	}, cfg)
	require.Equal(t, "[::]:8080", cfg.HTTP.Address())
}

func TestLoad_MakesALogOnATerminalReadable(t *testing.T) {
	t.Parallel()
	cfg, err := load(environment{}, true).result()
	require.NoError(t, err)
	require.Equal(t, "console", cfg.Log.Format)
	cfg, err = load(environment{LogFormat: "json"}, true).result()
	require.NoError(t, err)
	require.Equal(t, "json", cfg.Log.Format)
}

func TestLoad_TakesSecretsFromFiles(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s", 32)
	v := server()
	delete(v, "JWT_SECRET_KEY")
	cfg, err := from(t, v.with(vars{
		"JWT_SECRET_KEY_FILE": write(t, secret+"\n"),
		"DB_PASSWORD_FILE":    write(t, " with spaces \r\n"),
		"ADMIN_PASSWORD_FILE": write(t, "no line break"),
	})).result()
	require.NoError(t, err)
	require.Equal(t, secret, cfg.Auth.SecretKey)
	require.Equal(t, " with spaces ", cfg.DB.Password)
	require.Equal(t, "no line break", cfg.Auth.AdminPassword)

	key := edPEM(t)
	cfg, err = from(t, vars{"JWT_ALGORITHM": "EdDSA", "JWT_PUBLIC_KEY_FILE": write(t, key)}).result()
	require.NoError(t, err)
	require.Equal(t, strings.TrimSuffix(key, "\n"), cfg.Auth.PublicKey)
}

func TestLoad_AcceptsPublicKeysForTheirAlgorithm(t *testing.T) {
	t.Parallel()
	for algorithm, key := range map[string]string{
		"RS256": rsaPEM(t, 2048), "RS512": rsaPEM(t, 2048), "ES256": ecPEM(t, elliptic.P256()),
		"ES384": ecPEM(t, elliptic.P384()), "ES512": ecPEM(t, elliptic.P521()), "EdDSA": edPEM(t),
	} {
		cfg, err := from(t, vars{"JWT_ALGORITHM": algorithm, "JWT_PUBLIC_KEY": key}).result()
		require.NoError(t, err, algorithm)
		require.Equal(t, key, cfg.Auth.PublicKey)
		cfg, err = from(t, vars{"JWT_ALGORITHM": algorithm, "JWT_PUBLIC_KEY": strings.ReplaceAll(key, "\n", `\n`)}).result()
		require.NoError(t, err, algorithm)
		require.Equal(t, key, cfg.Auth.PublicKey, "line breaks written as \\n")
		cfg, err = from(t, vars{"JWT_ALGORITHM": algorithm, "JWT_JWKS_URL": "http://keys:8080/jwks"}).result()
		require.NoError(t, err, algorithm)
		require.Equal(t, "http://keys:8080/jwks", cfg.Auth.JWKSURL)
	}
}

func TestLoad_ReadsTheEnvironmentOfTheProcess(t *testing.T) {
	for _, v := range Variables() {
		t.Setenv(v.Name, "")
	}
	t.Setenv("PORT", "8123")
	cfg, err := Load()
	require.NoError(t, err)
	require.Equal(t, 8123, cfg.HTTP.Port)
	require.Equal(t, 20, cfg.DB.MaxConnections, "an empty variable holds its default")

	t.Setenv("PORT", "x")
	_, err = Load()
	require.EqualError(t, err, "a setting is at fault:\n  PORT=\"x\": a whole number from 1 to 65535 is allowed")
}

func TestTable_IsComplete(t *testing.T) {
	t.Parallel()
	names := make(map[string]bool)
	for _, v := range Variables() {
		require.NotEmpty(t, v.Group)
		require.NotEmpty(t, v.Name)
		require.NotEmpty(t, v.Meaning, v.Name)
		require.False(t, names[v.Name], "%s is there twice", v.Name)
		names[v.Name] = true
	}
	for _, v := range Variables() {
		require.Equal(t, v.Secret, names[v.Name+"_FILE"], "%s: secrets, and only they, can come from files", v.Name)
	}
	for field := range reflect.TypeFor[environment]().Fields() {
		if field.Type == reflect.TypeFor[number]() {
			require.NotEmpty(t, field.Tag.Get("min"), field.Name)
			require.NotEmpty(t, field.Tag.Get("max"), field.Name)
		}
	}
}
