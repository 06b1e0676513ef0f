package config

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// check looks at one variable by itself: its kind, and the file that may stand in for it.
func (l *loader) check(variable Variable) {
	switch value := l.value(variable.Name).Interface().(type) {
	case number:
		if !value.within(variable.tag.Get("min"), variable.tag.Get("max")) {
			l.fault(variable.Name, "%s is allowed", variable.Allowed)
		}
	case toggle:
		if _, err := strconv.ParseBool(string(value)); err != nil {
			l.fault(variable.Name, "%s is allowed", variable.Allowed)
		}
	case choice:
		if !slices.Contains(words(variable.tag), string(value)) {
			l.fault(variable.Name, "%s is allowed", variable.Allowed)
		}
	case secret:
		l.readFile(variable.Name)
	}
}

// readFile takes the secret named from the file that its _FILE variable names, if any, without its last line break.
func (l *loader) readFile(name string) {
	path := l.value(name + "_FILE").String()
	if path == "" {
		return
	}
	if l.value(name).String() != "" {
		l.fault(name+"_FILE", "%s is set too; only one of the two is allowed", name)
		return
	}
	content, err := readSecret(path)
	if err != nil {
		l.fault(name+"_FILE", "the file cannot be used: %v", err)
		return
	}
	l.files[name] = path
	l.value(name).SetString(content)
}

// longestSecret is more than any key needs; a larger file is the wrong file.
const longestSecret = 64 << 10

// readSecret returns the content of a file without the line break at its end. Its errors do not name the file.
func readSecret(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", withoutPath(err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, longestSecret+1))
	if err != nil {
		return "", withoutPath(err)
	}
	if len(content) > longestSecret {
		return "", errors.New("it is larger than 64 KiB")
	}
	text, err := FileText(content)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	if secret == "" {
		return "", errors.New("it is empty")
	}
	return secret, nil
}

// FileText returns what a secret's file holds, without the byte order mark that editors on Windows may have put at its
// beginning. Text in UTF-16, which the same editors write, is an error. A secret may also be random bytes.
func FileText(content []byte) (string, error) {
	marked := bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff"))
	if marked && bytes.IndexByte(content, 0) >= 0 {
		return "", errors.New("it is in UTF-16; save it as UTF-8")
	}
	return string(bytes.TrimPrefix(content, []byte("\ufeff"))), nil
}

// withoutPath returns the cause of an error that names a file, which the fault has named already.
func withoutPath(err error) error {
	if fault, ok := errors.AsType[*os.PathError](err); ok {
		return fault.Err
	}
	return err
}

func (l *loader) checkServer() {
	if !isHost(string(l.env.Host)) {
		l.fault("HOST", "a host name or an IP address, without port, is allowed")
	}
	for _, item := range l.env.TrustedProxies.items() {
		if _, err := prefix(item); err != nil {
			l.fault("TRUSTED_PROXIES", "%s: %v", shown(item), err)
		}
	}
	for _, item := range l.env.AllowedOrigins.items() {
		if _, err := origin(item); err != nil {
			l.fault("ALLOWED_ORIGINS", "%s: %v", shown(item), err)
		}
	}
	if items := l.env.AllowedOrigins.items(); len(items) > 1 && slices.Contains(items, "*") {
		l.fault("ALLOWED_ORIGINS", "* already allows every origin; give it alone")
	}
}

func (l *loader) checkDatabase() {
	if l.sound("DB_MIN_CONNECTIONS", "DB_MAX_CONNECTIONS") && l.env.DBMinConnections.int() > l.env.DBMaxConnections.int() {
		l.fault("DB_MIN_CONNECTIONS", "at most DB_MAX_CONNECTIONS (%s) is allowed", l.env.DBMaxConnections)
	}
	if l.env.DBHost == "" {
		l.checkEmbedded()
		return
	}
	if socket := strings.HasPrefix(string(l.env.DBHost), "/"); !socket && !isHost(string(l.env.DBHost)) {
		l.fault("DB_HOST", "a host name, an IP address or the folder of a Unix socket is allowed; the port belongs in DB_PORT")
	}
	for _, name := range []string{"DB_USERNAME", "DB_DATABASE"} {
		if l.value(name).String() == "" {
			l.fault(name, "needed with DB_HOST")
		}
	}
}

// checkEmbedded refuses the description of a server that would not be used. An operator who gives a password and forgets the host
// would otherwise find an empty, embedded database in the place of their own.
func (l *loader) checkEmbedded() {
	for _, name := range []string{"DB_PORT", "DB_USERNAME", "DB_PASSWORD", "DB_PASSWORD_FILE", "DB_DATABASE", "DB_SSLMODE"} {
		read := name == "DB_PASSWORD" && l.files[name] != ""
		if l.value(name).String() != defaultOf(name) && l.sound(name) && !read {
			l.fault(name, "set although DB_HOST is not; set DB_HOST to use a server, or unset this for the embedded PostgreSQL")
		}
	}
}

func (l *loader) checkReadings() {
	if l.sound("FOLD_READINGS", "READINGS_MAX_UNFOLDED") && l.env.FoldReadings.int() > l.env.ReadingsMaxUnfolded.int() {
		l.fault("FOLD_READINGS", "at most READINGS_MAX_UNFOLDED (%s) is allowed, or ingest would stall before a fold starts",
			l.env.ReadingsMaxUnfolded)
	}
}

// defaultOf returns the default of the variable named.
func defaultOf(name string) string {
	variables := Variables()
	return variables[slices.IndexFunc(variables, func(v Variable) bool { return v.Name == name })].Default
}

// isHost reports whether the text is an IP address or may be a host name. It does not ask whether there is such a host.
func isHost(text string) bool {
	if net.ParseIP(text) != nil {
		return true
	}
	return text != "" && len(text) <= 253 && !strings.HasPrefix(text, "-") && !strings.ContainsFunc(text, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && r != '.' && r != '-' && r != '_'
	})
}

// The limits that package auth sets on every user name and password.
const (
	shortestPassword = 8
	longestPassword  = 128
)

var username = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$`)

func (l *loader) checkAdmin() {
	name, password := string(l.env.AdminUsername), string(l.env.AdminPassword)
	if !username.MatchString(name) {
		l.fault("ADMIN_USERNAME", "1 to 64 letters, digits or . _ @ + - are allowed, the first a letter or digit")
	}
	if password == "" {
		return
	}
	if length := utf8.RuneCountInString(password); !utf8.ValidString(password) || length < shortestPassword || length > longestPassword {
		l.fault("ADMIN_PASSWORD", "%d to %d characters are allowed", shortestPassword, longestPassword)
	}
	if strings.EqualFold(password, name) {
		l.fault("ADMIN_PASSWORD", "the password must not be the user name")
	}
}
