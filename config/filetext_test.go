package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFileText_IsReadAsEditorsWriteIt(t *testing.T) {
	t.Parallel()
	utf16 := func(order string) string { return order + strings.Join(strings.Split("secret", ""), "\x00") + "\x00" }
	for name, test := range map[string]struct{ content, text, fault string }{
		"plain":                         {"secret\n", "secret\n", ""},
		"with a byte order mark":        {"\xef\xbb\xbfsecret\r\n", "secret\r\n", ""},
		"a mark alone":                  {"\xef\xbb\xbf", "", ""},
		"a mark in the middle":          {"se\ufeffcret", "se\ufeffcret", ""},
		"UTF-16, little end first":      {utf16("\xff\xfe"), "", "UTF-16"},
		"UTF-16, big end first":         {utf16("\xfe\xff\x00"), "", "UTF-16"},
		"random bytes":                  {"\x00\x01\xff\x80", "\x00\x01\xff\x80", ""},
		"random bytes that look marked": {"\xff\xfe\x01\x80", "\xff\xfe\x01\x80", ""},
	} {
		text, err := FileText([]byte(test.content))
		if test.fault != "" {
			require.ErrorContains(t, err, test.fault, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, test.text, text, name)
	}
}

func TestFileText_IsUsedForEverySecret(t *testing.T) {
	t.Parallel()
	const mark = "\ufeff"
	secret, v := strings.Repeat("s", 32), server()
	delete(v, "JWT_SECRET_KEY")
	cfg, err := from(t, v.with(vars{
		"JWT_SECRET_KEY_FILE": write(t, mark+secret+"\r\n"), "DB_PASSWORD_FILE": write(t, mark+"password"),
		"ADMIN_PASSWORD_FILE": write(t, mark+"correct horse\n"),
	})).result()
	require.NoError(t, err)
	require.Equal(t, secret, cfg.Auth.SecretKey)
	require.Equal(t, "password", cfg.DB.Password)
	require.Equal(t, "correct horse", cfg.Auth.AdminPassword)
	_, err = from(t, vars{"JWT_ALGORITHM": "EdDSA", "JWT_PUBLIC_KEY_FILE": write(t, mark+edPEM(t))}).result()
	require.NoError(t, err)
	_, err = from(t, v.with(vars{"JWT_SECRET_KEY_FILE": write(t, mark+"\n")})).result()
	require.ErrorContains(t, err, "it is empty")
}
