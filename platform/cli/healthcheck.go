// Package cli implements what Telltale does on a terminal besides serving: it migrates the database, asks a running instance for
// its health, and prints where the program serves and the first administrator's password.
//
// Package main parses arguments. Commands that need a module, such as import and export, are in that module's package.
package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"telltale/config"
)

// healthLimit is shorter than the timeout of any supervisor's health check.
const healthLimit = 3 * time.Second

// Healthcheck asks the instance that cfg describes, on this machine, whether it is ready to serve. Any answer but 200 is
// an error.
func Healthcheck(ctx context.Context, cfg config.HTTP) error {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	url := localURL(cfg) + "/readyz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	// A proxy of the environment is not asked: this stays on the machine.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10)) // what there is of it explains the status
		return fmt.Errorf("%s answers %s: %s", url, response.Status, body)
	}
	return nil
}

// localURL returns the base URL under which the instance that cfg describes is reached from this machine.
func localURL(cfg config.HTTP) string {
	host := cfg.Host
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(cfg.Port))
}
