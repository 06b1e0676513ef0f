package config

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFaults_NameVariableValueAndWhatIsAllowed(t *testing.T) {
	t.Parallel()
	short := strings.Repeat("s", 31)
	cases := map[string]struct {
		vars vars
		want []string // each fault, as a line
	}{
		"a port that is no port":    {vars{"PORT": "65536"}, []string{`PORT="65536": a whole number from 1 to 65535 is allowed`}},
		"port zero":                 {vars{"PORT": "0"}, []string{`PORT="0": a whole number from 1 to 65535 is allowed`}},
		"a number that is no digit": {vars{"QUERY_TIMEOUT_SECS": "1m"}, []string{`QUERY_TIMEOUT_SECS="1m": a whole number from 1 to 3600 is allowed`}},
		"a fraction":                {vars{"STREAM_HEARTBEAT_SECS": "1.5"}, []string{`STREAM_HEARTBEAT_SECS="1.5": a whole number from 1 to 3600 is allowed`}},
		"a negative duration":       {vars{"DB_IDLE_TIMEOUT_SECS": "-1"}, []string{`DB_IDLE_TIMEOUT_SECS="-1": a whole number from 1 to 86400 is allowed`}},
		"more digits than an int":   {vars{"WINDOW_BYTES": "99999999999999999999"}, []string{`WINDOW_BYTES="99999999999999999999": a whole number from 1048576 to 1099511627776 is allowed`}},
		"minimum above maximum": {vars{"DB_MIN_CONNECTIONS": "30"}, []string{
			`DB_MIN_CONNECTIONS="30": at most DB_MAX_CONNECTIONS (20) is allowed`,
		}},
		"a pool too small to work": {vars{"DB_MIN_CONNECTIONS": "1", "DB_MAX_CONNECTIONS": "3"}, []string{
			`DB_MAX_CONNECTIONS="3": a whole number from 4 to 10000 is allowed`,
		}},
		"unparsable limits are not compared": {vars{"DB_MIN_CONNECTIONS": "ten", "DB_MAX_CONNECTIONS": "5"}, []string{
			`DB_MIN_CONNECTIONS="ten": a whole number from 0 to 10000 is allowed`,
		}},
		"neither true nor false": {vars{"DB_PREPARED_STATEMENTS": "maybe"}, []string{`DB_PREPARED_STATEMENTS="maybe": true or false is allowed`}},
		"unknown level":          {vars{"LOG_LEVEL": "loud"}, []string{`LOG_LEVEL="loud": one of debug, info, warn, error is allowed`}},
		"unknown format":         {vars{"LOG_FORMAT": "xml"}, []string{`LOG_FORMAT="xml": one of auto, console, json is allowed`}},
		"unknown sslmode": {server().with(vars{"DB_SSLMODE": "on"}), []string{
			`DB_SSLMODE="on": one of disable, allow, prefer, require, verify-ca, verify-full is allowed`,
		}},
		"unknown algorithm": {vars{"JWT_ALGORITHM": "none"}, []string{
			`JWT_ALGORITHM="none": one of HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384, ES512, EdDSA is allowed`,
		}},
		"a fold that starts too late": {vars{"FOLD_READINGS": "5000", "READINGS_MAX_UNFOLDED": "4000"}, []string{
			`FOLD_READINGS="5000": at most READINGS_MAX_UNFOLDED (4000) is allowed, or ingest would stall before a fold starts`,
		}},

		"a listen address with a port": {vars{"HOST": "0.0.0.0:80"}, []string{`HOST="0.0.0.0:80": a host name or an IP address, without port, is allowed`}},
		"origins": {vars{"ALLOWED_ORIGINS": "https://ok.example, https://a.example/path, a.example,https://*.example"}, []string{
			`ALLOWED_ORIGINS="https://ok.example, https://a.example/path, a.example,https://*.example": "https://a.example/path": scheme://host[:port] is allowed, without a path`,
			`ALLOWED_ORIGINS="https://ok.example, https://a.example/path, a.example,https://*.example": "a.example": scheme://host[:port] is allowed, without a path`,
			`ALLOWED_ORIGINS="https://ok.example, https://a.example/path, a.example,https://*.example": "https://*.example": scheme://host[:port] is allowed, without a path`,
		}},
		"proxies": {vars{"TRUSTED_PROXIES": "10.0.0.1, 10.0.0.0/33,nginx,fe80::1%eth0"}, []string{
			`TRUSTED_PROXIES="10.0.0.1, 10.0.0.0/33,nginx,fe80::1%eth0": "10.0.0.0/33": an IP address, or a range such as 10.0.0.0/8, is allowed`,
			`TRUSTED_PROXIES="10.0.0.1, 10.0.0.0/33,nginx,fe80::1%eth0": "nginx": an IP address, or a range such as 10.0.0.0/8, is allowed`,
			`TRUSTED_PROXIES="10.0.0.1, 10.0.0.0/33,nginx,fe80::1%eth0": "fe80::1%eth0": an IP address, or a range such as 10.0.0.0/8, is allowed`,
		}},
		"all origins and one": {vars{"ALLOWED_ORIGINS": "*,https://a.example"}, []string{
			`ALLOWED_ORIGINS="*,https://a.example": * already allows every origin; give it alone`,
		}},

		"a server without the rest": {vars{"DB_HOST": "db.example"}, []string{
			`DB_USERNAME: needed with DB_HOST`,
			`DB_DATABASE: needed with DB_HOST`,
			`JWT_SECRET_KEY: needed with DB_HOST and HS256: at least 32 random bytes, such as those of openssl rand -base64 32`,
		}},
		"the port in the host": {server().with(vars{"DB_HOST": "db.example:5432"}), []string{
			`DB_HOST="db.example:5432": a host name, an IP address or the folder of a Unix socket is allowed; the port belongs in DB_PORT`,
		}},
		"a server described but not named": {vars{"DB_USERNAME": "u", "DB_PASSWORD": "p", "DB_DATABASE": "d", "DB_PORT": "5433", "DB_SSLMODE": "require"}, []string{
			`DB_PORT="5433": set although DB_HOST is not; set DB_HOST to use a server, or unset this for the embedded PostgreSQL`,
			`DB_USERNAME="u": set although DB_HOST is not; set DB_HOST to use a server, or unset this for the embedded PostgreSQL`,
			`DB_PASSWORD=(not shown): set although DB_HOST is not; set DB_HOST to use a server, or unset this for the embedded PostgreSQL`,
			`DB_DATABASE="d": set although DB_HOST is not; set DB_HOST to use a server, or unset this for the embedded PostgreSQL`,
			`DB_SSLMODE="require": set although DB_HOST is not; set DB_HOST to use a server, or unset this for the embedded PostgreSQL`,
		}},

		"a short secret for HS256": {vars{"JWT_SECRET_KEY": short}, []string{`JWT_SECRET_KEY=(not shown): it has 31 bytes, and HS256 needs at least 32`}},
		"a short secret for HS384": {vars{"JWT_SECRET_KEY": short, "JWT_ALGORITHM": "HS384"}, []string{`JWT_SECRET_KEY=(not shown): it has 31 bytes, and HS384 needs at least 48`}},
		"a short secret for HS512": {vars{"JWT_SECRET_KEY": short, "JWT_ALGORITHM": "HS512"}, []string{`JWT_SECRET_KEY=(not shown): it has 31 bytes, and HS512 needs at least 64`}},
		"a public key for a shared secret's algorithm": {vars{"JWT_PUBLIC_KEY": edPEM(t), "JWT_JWKS_URL": "https://keys.example"}, []string{
			`JWT_PUBLIC_KEY=(not shown): HS256 does not use it; JWT_ALGORITHM must name the algorithm of the identity provider's keys`,
			`JWT_JWKS_URL="https://keys.example": HS256 does not use it; JWT_ALGORITHM must name the algorithm of the identity provider's keys`,
		}},
		"no key for a public key's algorithm": {vars{"JWT_ALGORITHM": "RS256"}, []string{`JWT_PUBLIC_KEY: RS256 needs this or JWT_JWKS_URL`}},
		"both kinds of public keys": {vars{"JWT_ALGORITHM": "EdDSA", "JWT_PUBLIC_KEY": edPEM(t), "JWT_JWKS_URL": "https://keys.example"}, []string{
			`JWT_JWKS_URL="https://keys.example": JWT_PUBLIC_KEY is set too; only one of the two is allowed`,
		}},
		"no PEM":              {vars{"JWT_ALGORITHM": "RS256", "JWT_PUBLIC_KEY": "ssh-rsa AAAA"}, []string{`JWT_PUBLIC_KEY=(not shown): a public key in PEM form (-----BEGIN PUBLIC KEY-----) is allowed`}},
		"a private key":       {vars{"JWT_ALGORITHM": "RS256", "JWT_PUBLIC_KEY": privatePEM(t)}, []string{`JWT_PUBLIC_KEY=(not shown): it is a private key; only the public key belongs here`}},
		"a small RSA key":     {vars{"JWT_ALGORITHM": "RS256", "JWT_PUBLIC_KEY": rsaPEM(t, 1024)}, []string{`JWT_PUBLIC_KEY=(not shown): the RSA key has 1024 bits, and at least 2048 are needed`}},
		"RSA and an EC key":   {vars{"JWT_ALGORITHM": "RS256", "JWT_PUBLIC_KEY": ecPEM(t, elliptic.P256())}, []string{`JWT_PUBLIC_KEY=(not shown): RS256 needs an RSA public key`}},
		"another curve":       {vars{"JWT_ALGORITHM": "ES256", "JWT_PUBLIC_KEY": ecPEM(t, elliptic.P384())}, []string{`JWT_PUBLIC_KEY=(not shown): ES256 needs a public key on the curve P-256`}},
		"EC and an Ed25519":   {vars{"JWT_ALGORITHM": "ES512", "JWT_PUBLIC_KEY": edPEM(t)}, []string{`JWT_PUBLIC_KEY=(not shown): ES512 needs a public key on the curve P-521`}},
		"Ed25519 and EC key":  {vars{"JWT_ALGORITHM": "EdDSA", "JWT_PUBLIC_KEY": ecPEM(t, elliptic.P521())}, []string{`JWT_PUBLIC_KEY=(not shown): EdDSA needs an Ed25519 public key`}},
		"a JWKS on no server": {vars{"JWT_ALGORITHM": "RS256", "JWT_JWKS_URL": "keys.json"}, []string{`JWT_JWKS_URL="keys.json": an http or https URL without user and password is allowed`}},

		"a short admin password":      {vars{"ADMIN_PASSWORD": "1234567"}, []string{`ADMIN_PASSWORD=(not shown): 8 to 128 characters are allowed`}},
		"the name as password":        {vars{"ADMIN_USERNAME": "Alexandra", "ADMIN_PASSWORD": "alexandra"}, []string{`ADMIN_PASSWORD=(not shown): the password must not be the user name`}},
		"a name with a space in it":   {vars{"ADMIN_USERNAME": "the admin"}, []string{`ADMIN_USERNAME="the admin": 1 to 64 letters, digits or . _ @ + - are allowed, the first a letter or digit`}},
		"credentials in wrong places": {server().with(vars{"DB_HOST": "postgres://u:hunter2@db/d"}), []string{`DB_HOST=(not shown): a host name, an IP address or the folder of a Unix socket is allowed; the port belongs in DB_PORT`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := from(t, c.vars).result()
			require.Zero(t, cfg)
			faults, ok := err.(Faults) //nolint:errorlint // the type itself is what Load promises
			require.True(t, ok, "%v", err)
			var lines []string
			for _, fault := range faults {
				lines = append(lines, fault.String())
			}
			require.Equal(t, c.want, lines)
		})
	}
}

func TestFaults_IncludeFilesOfSecrets(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	for name, c := range map[string]struct{ path, reason string }{
		"missing":   {missing, "the file cannot be used: no such file or directory"},
		"a folder":  {t.TempDir(), "the file cannot be used: is a directory"},
		"empty":     {write(t, "\n"), "the file cannot be used: it is empty"},
		"too large": {write(t, strings.Repeat("x", longestSecret+1)), "the file cannot be used: it is larger than 64 KiB"},
	} {
		_, err := from(t, server().with(vars{"DB_PASSWORD_FILE": c.path})).result()
		require.Equal(t, Faults{{Variable: "DB_PASSWORD_FILE", Value: shown(c.path), Reason: c.reason}}, err, name)
	}

	_, err := from(t, server().with(vars{"JWT_SECRET_KEY_FILE": write(t, strings.Repeat("s", 32))})).result()
	require.ErrorContains(t, err, "JWT_SECRET_KEY is set too; only one of the two is allowed")

	v := server()
	delete(v, "JWT_SECRET_KEY")
	_, err = from(t, v.with(vars{"JWT_SECRET_KEY_FILE": missing})).result()
	require.Len(t, err, 1, "a secret that cannot be read is not reported as missing as well")

	_, err = from(t, vars{"DB_PASSWORD_FILE": write(t, "p")}).result()
	require.ErrorContains(t, err, "DB_PASSWORD_FILE=")
	require.Len(t, err, 1, "a password from a file is reported once")
}

func TestFaults_AreReportedTogetherInTheOrderOfTheTable(t *testing.T) {
	t.Parallel()
	_, err := from(t, vars{
		"STREAM_HEARTBEAT_SECS": "0", "JWT_SECRET_KEY": "short", "DB_HOST": "db.example", "DB_MIN_CONNECTIONS": "x", "PORT": "-1",
	}).result()
	require.EqualError(t, err, `6 settings are at fault:
  PORT="-1": a whole number from 1 to 65535 is allowed
  DB_USERNAME: needed with DB_HOST
  DB_DATABASE: needed with DB_HOST
  DB_MIN_CONNECTIONS="x": a whole number from 0 to 10000 is allowed
  JWT_SECRET_KEY=(not shown): it has 5 bytes, and HS256 needs at least 32
  STREAM_HEARTBEAT_SECS="0": a whole number from 1 to 3600 is allowed`)
}

func TestFaults_AndReportsHoldNoSecret(t *testing.T) {
	t.Parallel()
	const hidden = "hunter2"
	file := write(t, hidden)
	bad := vars{"DB_HOST": "u:" + hidden + "@db", "JWT_JWKS_URL": "https://u:" + hidden + "@keys"}
	for _, v := range Variables() {
		if v.Secret {
			bad[v.Name] = hidden
		}
	}
	fromFiles := vars{"DB_HOST": "db"}
	for _, v := range Variables() {
		if v.Secret {
			fromFiles[v.Name+"_FILE"] = file
		}
	}
	for _, v := range []vars{bad, bad.with(vars{"JWT_ALGORITHM": "RS256"}), bad.with(vars{"DB_HOST": ""}), fromFiles} {
		l := from(t, v)
		var report strings.Builder
		require.NoError(t, l.writeReport(&report))
		require.NotContains(t, report.String(), hidden)
		_, err := l.result()
		require.Error(t, err)
		require.NotContains(t, err.Error(), hidden)
	}
}

func privatePEM(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}
