//go:build e2e

package acceptance

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// proxyKind is one of the proxies that docs/proxies.md has a configuration for.
type proxyKind struct {
	name, program, debian string
	// adapt makes of the page's configuration one for a test: own ports, folders and certificate.
	adapt func(p *proxy, pasted string) string
	// arguments run it in the foreground.
	arguments func(p *proxy) []string
	// reload has it read its configuration again, without losing a connection; nil if it does not have that.
	reload func(p *proxy) error
	http2  bool
}

// proxy is one that runs.
type proxy struct {
	kind                       proxyKind
	dir, port, backend, config string
	cmd                        *exec.Cmd
}

func (p *proxy) path(name string) string { return filepath.Join(p.dir, name) }

func (p *proxy) signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

var proxies = []proxyKind{
	{
		name: "nginx", program: "nginx", debian: "nginx", http2: true,
		adapt: func(p *proxy, pasted string) string {
			temporary := ""
			for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
				temporary += kind + "_temp_path " + p.path(kind) + ";\n"
			}
			user := ""
			if os.Geteuid() == 0 {
				user = "user root;\n"
			}
			return user + "daemon off;\nworker_processes 1;\npid " + p.path("pid") + ";\nevents {}\nhttp {\naccess_log off;\n" + temporary +
				strings.Replace(pasted, "listen 443", "listen 127.0.0.1:"+p.port, 1) + "\n}\n"
		},
		arguments: func(p *proxy) []string { return []string{"-c", p.config, "-e", p.path("errors")} },
		reload:    func(p *proxy) error { return p.signal(syscall.SIGHUP) },
	},
	{
		name: "haproxy", program: "haproxy", debian: "haproxy", http2: true,
		adapt: func(p *proxy, pasted string) string {
			return "defaults\n    timeout connect 5s\n    timeout client 50s\n    timeout server 50s\n" +
				strings.Replace(pasted, "bind :443", "bind 127.0.0.1:"+p.port, 1)
		},
		arguments: func(p *proxy) []string { return []string{"-W", "-db", "-f", p.config} },
		reload:    func(p *proxy) error { return p.signal(syscall.SIGUSR2) },
	},
	{
		name: "caddy", program: "caddy", debian: "caddy", http2: true,
		adapt: func(p *proxy, pasted string) string {
			return "{\n  admin unix//" + p.path("admin") + "\n  auto_https disable_redirects\n  servers {\n    protocols h1 h2\n  }\n  skip_install_trust\n}\n" +
				strings.Replace(pasted, "telltale.example {", "https://localhost:"+p.port+" {\n  bind 127.0.0.1\n  tls "+p.path("telltale.pem")+" "+p.path("telltale.pem"), 1)
		},
		arguments: func(p *proxy) []string { return []string{"run", "--config", p.config, "--adapter", "caddyfile"} },
		reload: func(p *proxy) error {
			return exec.CommandContext(context.Background(), "caddy", "reload", "--force", "--config", p.config, "--adapter", "caddyfile", "--address", "unix/"+p.path("admin")).Run()
		},
	},
	{
		name: "apache", program: "apache2", debian: "apache2", http2: true,
		adapt: func(p *proxy, pasted string) string {
			head := "ServerRoot " + p.dir + "\nDefaultRuntimeDir " + p.dir + "\nPidFile " + p.path("pid") + "\nErrorLog " + p.path("errors") +
				"\nListen 127.0.0.1:" + p.port + "\nServerName localhost\n"
			for _, module := range []string{"mpm_event", "authz_core", "filter", "deflate", "ssl", "http2", "proxy", "proxy_http"} {
				head += "LoadModule " + module + "_module /usr/lib/apache2/modules/mod_" + module + ".so\n"
			}
			if os.Geteuid() == 0 {
				head += "User www-data\nGroup www-data\n"
			}
			return head + strings.Replace(pasted, "*:443", "127.0.0.1:"+p.port, 1)
		},
		arguments: func(p *proxy) []string { return []string{"-DFOREGROUND", "-f", p.config} },
		reload:    func(p *proxy) error { return p.signal(syscall.SIGUSR1) },
	},
	{
		name: "varnish", program: "varnishd", debian: "varnish",
		adapt: func(p *proxy, pasted string) string {
			_, port, _ := strings.Cut(p.backend, ":")
			return strings.Replace(pasted, `"8000"`, `"`+port+`"`, 1)
		},
		arguments: func(p *proxy) []string {
			return []string{"-F", "-j", "none", "-f", p.config, "-a", "127.0.0.1:" + p.port, "-n", p.path("run"), "-s", "malloc,32m"}
		},
	},
}

// pasted returns the configuration that the page gives for the proxy.
func pasted(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/proxies.md")
	require.NoError(t, err)
	if name == "varnish" {
		name = "vcl"
	}
	found := regexp.MustCompile("(?s)```" + name + "\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, found, "docs/proxies.md has no configuration of %s", name)
	return string(found[1])
}

// newProxy writes the configuration of a proxy in front of the backend.
func newProxy(t *testing.T, kind proxyKind, port, backend string) *proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "telltale-"+kind.name+"-") // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755)) // a proxy's workers are another user
	p := &proxy{kind: kind, dir: dir, port: port, backend: backend}
	p.config = p.path("config")
	writeCertificate(t, p.path("telltale.pem"))
	config := strings.NewReplacer("127.0.0.1:8000", backend, "/etc/ssl/telltale.pem", p.path("telltale.pem")).Replace(pasted(t, kind.name))
	require.NoError(t, os.WriteFile(p.config, []byte(kind.adapt(p, config)), 0o600))
	return p
}

// start runs the proxy until stop, or the end of the test.
func (p *proxy) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(p.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer log.Close()
	p.cmd = exec.CommandContext(context.Background(), p.kind.program, p.kind.arguments(p)...)
	p.cmd.Env = append(os.Environ(), "HOME="+p.dir, "XDG_DATA_HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, p.cmd.Start())
	t.Cleanup(p.stop)
}

// stop ends the proxy and its workers at once, with all connections.
func (p *proxy) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Wait() // fails for a process that was killed, and for one that has been waited for
}

// said returns what the proxy has logged.
func (p *proxy) said() string {
	text := ""
	for _, name := range []string{"log", "errors"} {
		part, _ := os.ReadFile(p.path(name))
		text += string(part)
	}
	return text
}

// said is read when it is printed.
type said struct{ *proxy }

func (s said) String() string { return s.said() }

// writeCertificate writes a certificate of localhost, and its key, to one file.
func writeCertificate(t *testing.T, path string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...)
	require.NoError(t, os.WriteFile(path, text, 0o600))
}
