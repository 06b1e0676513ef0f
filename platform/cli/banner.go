package cli

import (
	"fmt"
	"io"

	"telltale/config"
	"telltale/platform/version"
)

// Banner tells a newcomer where to look, once the instance serves.
func Banner(w io.Writer, cfg config.HTTP) error {
	url, elsewhere := localURL(cfg), ""
	if address := cfg.Address(); url != "http://"+address {
		elsewhere = " and beyond this machine (" + address + ")"
	}
	_, err := fmt.Fprintf(w, `
  Telltale %s serves on %s%s

    Live page           %s/
    API documentation   %s/api/docs
    Health              %s/api/health
    Metrics             %s/metrics

  Ctrl-C stops it.

`, version.Number(), url, elsewhere, url, url, url, url)
	return err
}

// Credentials shows a password that has been made, and how to use it.
func Credentials(w io.Writer, cfg config.Config, username, password string) error {
	url := localURL(cfg.HTTP)
	_, err := fmt.Fprintf(w, `
  The first administrator has been made. The password is shown only now, and kept in %s/admin-password:

    user name   %s
    password    %s

  Try it:

    TOKEN=$(curl -s %s/api/auth/token -d username=%s -d password=%s |
      sed 's/.*"access_token": *"\([^"]*\)".*/\1/')
    curl -s %s/api/devices -H "Authorization: Bearer $TOKEN"

`, cfg.DataDir, username, password, url, username, password, url)
	return err
}
