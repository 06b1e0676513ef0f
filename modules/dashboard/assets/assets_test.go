package assets_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/modules/dashboard/assets"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
)

// page is a whole page, changed by changes: a file's name and its text in turn.
func page(changes ...string) fstest.MapFS {
	text := map[string]string{
		"index.html":        `<link href="{{.Style}}"><link rel="icon" href="{{icon.svg}}">{{.ImportMap}}<script src="{{.App}}"></script>`,
		"style/10-base.css": ".base { color: red; }", "style/00-tokens.css": ":root { --ink: black; }",
		"vendor/preact.js": "const h = 1;\nexport {h};", "vendor/uplot.css": ".uplot {}",
		"js/main.js":      "import {h} from 'preact';\nconsole.log(h);\n" + strings.Repeat("console.log('compressed');\n", 50),
		"static/icon.svg": "<svg/>",
	}
	for n := 0; n < len(changes); n += 2 {
		text[changes[n]] = changes[n+1]
	}
	files := fstest.MapFS{}
	for name, content := range text {
		files[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return files
}

func serve(t *testing.T, files fstest.MapFS) *httpservertest.Server {
	t.Helper()
	made, err := assets.New(files)
	require.NoError(t, err)
	return httpservertest.Serve(t, []httpapi.Routes{{Name: "page", Mount: func(fiber.Router) {}, Root: func(root fiber.Router) {
		root.Get("/", made.Index)
		root.Get("/assets/:name", made.Asset)
	}}})
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	var from io.Reader = res.Body
	if res.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(res.Body)
		require.NoError(t, err)
		from = unzipped
	}
	text, err := io.ReadAll(from)
	require.NoError(t, err)
	return string(text)
}

var assetPath = regexp.MustCompile(`/assets/[\w-]+\.[0-9a-f]{16}\.\w+`)

// found returns the paths of the assets that a page names, by name and ending.
func found(t *testing.T, text string) map[string]string {
	t.Helper()
	paths := map[string]string{}
	for _, path := range assetPath.FindAllString(text, -1) {
		parts := strings.Split(strings.TrimPrefix(path, "/assets/"), ".")
		paths[parts[0]+"."+parts[2]] = path
	}
	return paths
}

func TestPage_NamesItsAssetsByTheirContent(t *testing.T) {
	t.Parallel()
	s := serve(t, page())
	paths := found(t, body(t, s.Ask(t, "GET", "/")))
	require.ElementsMatch(t, []string{"style.css", "app.js", "preact.js", "icon.svg"}, slices.Collect(maps.Keys(paths)))
	for name, want := range map[string]struct{ media, text string }{
		"style.css": {"text/css; charset=utf-8", ".uplot {}\n:root { --ink: black; }\n.base { color: red; }\n"},
		"app.js":    {"text/javascript; charset=utf-8", ""},
		"preact.js": {"text/javascript; charset=utf-8", "const h = 1;\nexport {h};"},
		"icon.svg":  {"image/svg+xml", "<svg/>"},
	} {
		res := s.Ask(t, "GET", paths[name])
		text := body(t, res)
		require.Equal(t, 200, res.StatusCode)
		require.Equal(t, want.media, res.Header.Get("Content-Type"))
		require.Equal(t, "public, max-age=31536000, immutable", res.Header.Get("Cache-Control"))
		require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
		if want.text != "" {
			require.Equal(t, want.text, text)
		}
		sum := sha256.Sum256([]byte(text))
		require.Contains(t, paths[name], hex.EncodeToString(sum[:8]))
	}
	changed := found(t, body(t, serve(t, page("style/10-base.css", ".base {}")).Ask(t, "GET", "/")))
	require.NotEqual(t, paths["style.css"], changed["style.css"])
	require.Equal(t, paths["app.js"], changed["app.js"])
}

func TestPage_AllowsItsOwnImportMapAndNoOtherInlineScript(t *testing.T) {
	t.Parallel()
	res := serve(t, page()).Ask(t, "GET", "/")
	text := body(t, res)
	script := regexp.MustCompile(`<script type="importmap">(.*?)</script>`).FindStringSubmatch(text)
	require.NotNil(t, script)
	sum := sha256.Sum256([]byte(script[1]))
	require.Equal(t, "default-src 'none'; script-src 'self' 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; "+
		"style-src 'self'; worker-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'", res.Header.Get("Content-Security-Policy"))
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache",
	} {
		require.Equal(t, want, res.Header.Get(name), name)
	}
	var m struct{ Imports map[string]string }
	require.NoError(t, json.Unmarshal([]byte(script[1]), &m))
	require.Equal(t, map[string]string{"preact": found(t, text)["preact.js"]}, m.Imports)
}

// A shared worker has the policy of its own script: with that of all other answers it could ask for nothing.
func TestPage_LetsItsWorkerAskTheServer(t *testing.T) {
	t.Parallel()
	s := serve(t, page("js/live/worker.js", "const scope = globalThis;\n", "index.html", "{{.Style}}{{icon.svg}}{{.ImportMap}}{{.App}} {{.Worker}} "))
	worker := regexp.MustCompile(`/assets/worker\S*`).FindString(body(t, s.Ask(t, "GET", "/")))
	require.Equal(t, "default-src 'none'; connect-src 'self'", s.Ask(t, "GET", worker).Header.Get("Content-Security-Policy"))
}

// What is fetched later takes the modules that are there from the script that has them, by its path.
func TestPage_HasAScriptForLater(t *testing.T) {
	t.Parallel()
	s := serve(t, page("js/a.js", "export const a = 1;\n", "js/main.js", "import {a} from './a.js';\nconsole.log(a);\n",
		"js/later.js", "import {a} from './a.js';\nconsole.log(-a);\n", "index.html", "{{.Style}}{{icon.svg}}{{.ImportMap}}{{.App}} {{.Later}} "))
	index := body(t, s.Ask(t, "GET", "/"))
	script := body(t, s.Ask(t, "GET", regexp.MustCompile(`/assets/later\S*`).FindString(index)))
	require.Contains(t, script, "import {$a} from '"+regexp.MustCompile(`/assets/app\S*`).FindString(index)+"';")
	require.Contains(t, script, "console.log(-a)")
}

func TestPage_IsAskedForAgainAndSentOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, page())
	first := s.Ask(t, "GET", "/")
	tag := first.Header.Get("ETag")
	again := s.Ask(t, "GET", "/", "If-None-Match", tag)
	require.Equal(t, 304, again.StatusCode)
	require.Empty(t, body(t, again))
	require.Equal(t, first.Header.Get("Content-Security-Policy"), again.Header.Get("Content-Security-Policy"))
	require.Equal(t, 200, s.Ask(t, "GET", "/", "If-None-Match", `W/"other"`).StatusCode)
	require.NotEqual(t, tag, serve(t, page("js/main.js", "")).Ask(t, "GET", "/").Header.Get("ETag"))
}

func TestAsset_ComesCompressedToWhoAsksForThat(t *testing.T) {
	t.Parallel()
	s := serve(t, page())
	paths := found(t, body(t, s.Ask(t, "GET", "/")))
	for _, test := range []struct{ name, accept, coding string }{
		{"app.js", "gzip, deflate, br", "gzip"},
		{"app.js", "gzip;q=0", ""},
		{"app.js", "br", ""},
		{"app.js", "identity", ""},
		{"icon.svg", "gzip", ""}, // too small to gain
	} {
		res := s.Ask(t, "GET", paths[test.name], "Accept-Encoding", test.accept)
		require.Equal(t, test.coding, res.Header.Get("Content-Encoding"), test.accept)
		require.Equal(t, "Accept-Encoding", res.Header.Get("Vary"))
		require.NotContains(t, body(t, res), "\x00")
	}
}

func TestAsset_OfAnotherNameIsNotThere(t *testing.T) {
	t.Parallel()
	s := serve(t, page())
	for _, path := range []string{
		"/assets/", "/assets/app.js", "/assets/style.0000000000000000.css", "/assets/..%2findex.html", "/assets/js/main.js", "/assets/%00",
	} {
		res := s.Ask(t, "GET", path)
		require.Equal(t, 404, res.StatusCode, path)
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
		require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	}
}

func TestNew_RefusesWhatCannotBeServed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ file, text, want string }{
		{"index.html", "{{.Missing}}", "index.html: there is nothing to put in place of {{.Missing}}"},
		{"index.html", "{{logo.svg}}", "index.html: there is nothing to put in place of {{logo.svg}}"},
		{"js/main.js", "import {x} from 'preact';", "js/main.js:1: preact exports no x"},
		{"static/tool.exe", "x", "static/tool.exe: its media type is not known here"},
	} {
		_, err := assets.New(page(test.file, test.text))
		require.ErrorContains(t, err, test.want)
	}
}
