package config

import (
	"errors"
	"net/url"
	"strings"
)

var errOrigin = errors.New("scheme://host[:port] is allowed, without a path")

// defaultPorts are left out of an origin by browsers.
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// origin returns a web origin as a browser sends it: in lower case and without its scheme's default port (RFC 6454).
func origin(text string) (string, error) {
	if text == "*" {
		return text, nil
	}
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Scheme == "" || u.Hostname() == "" || strings.Contains(u.Host, "*") {
		return "", errOrigin
	}
	if bare := (&url.URL{Scheme: u.Scheme, Host: u.Host}); bare.String() != strings.ToLower(text) {
		return "", errOrigin
	}
	if port := u.Port(); port != "" {
		if !number(port).within("1", "65535") {
			return "", errOrigin
		}
		if port == defaultPorts[u.Scheme] {
			u.Host = strings.TrimSuffix(u.Host, ":"+port)
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return "", errOrigin
	}
	return u.Scheme + "://" + u.Host, nil
}

// origins returns the origins of a list that has been checked.
func origins(l list) []string {
	var all []string
	for _, item := range l.items() {
		if normal, err := origin(item); err == nil {
			all = append(all, normal)
		}
	}
	return all
}
