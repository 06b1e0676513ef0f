package httpserver_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
)

// echoing answers with the body of the request.
var echoing = []httpapi.Routes{{Name: "echo", Mount: func(api fiber.Router) {
	api.Post("/echo", func(c *fiber.Ctx) error {
		body, err := httpserver.Body(c, 1<<20)
		if err != nil {
			return err
		}
		return c.Send(bytes.Clone(body)) // which is sent after the handler
	})
	api.Get("/hello", func(c *fiber.Ctx) error { return c.SendString("hello") })
}}}

// ambiguous are requests that two servers on the way may delimit differently, or that are no HTTP/1.
var ambiguous = map[string]string{
	"two lengths":                   "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\nContent-Length: 5\r\n\r\nabcde",
	"two equal lengths":             "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
	"a list of lengths":             "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nabcde",
	"a length with a sign":          "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nabcde",
	"a negative length":             "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nabcde",
	"a length in hexadecimal":       "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nabcde",
	"a length with a space":         "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5 5\r\n\r\nabcde",
	"an empty length":               "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\nabcde",
	"an enormous length":            "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nabcde",
	"two lengths, on a GET":         "GET /api/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nabcde",
	"coding and length":             "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
	"length and coding":             "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"an unknown coding":             "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	"an unknown coding and length":  "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\ne\r\n0\r\n",
	"no coding":                     "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n",
	"an empty coding":               "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n",
	"a quoted coding":               "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
	"a coding twice":                "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
	"a coding in two fields":        "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"two codings":                   "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"chunked first":                 "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
	"a coding in HTTP/1.0":          "POST /api/echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"a coding with a vertical tab":  "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n",
	"a coding after a space":        "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
	"no host":                       "GET /api/hello HTTP/1.1\r\n\r\n",
	"no host, absolute target":      "GET http://x/api/hello HTTP/1.1\r\n\r\n",
	"two hosts":                     "GET /api/hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
	"two equal hosts":               "GET /api/hello HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
	"two hosts in one":              "GET /api/hello HTTP/1.1\r\nHost: x y\r\n\r\n",
	"two hosts in HTTP/1.0":         "GET /api/hello HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
	"a host with a path":            "GET /api/hello HTTP/1.1\r\nHost: x/y\r\n\r\n",
	"a host with a user":            "GET /api/hello HTTP/1.1\r\nHost: a@x\r\n\r\n",
	"a folded line":                 "GET /api/hello HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n",
	"a line folded with a tab":      "GET /api/hello HTTP/1.1\r\nHost: x\r\nX-A: a\r\n\tb\r\n\r\n",
	"a folded length":               "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n 5\r\n\r\nabcde",
	"a fold before the first field": "GET /api/hello HTTP/1.1\r\n Host: x\r\nHost: x\r\n\r\n",
	"a NUL in a value":              "GET /api/hello HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
	"a NUL in a name":               "GET /api/hello HTTP/1.1\r\nHost: x\r\nX\x00A: a\r\n\r\n",
	"a control byte in a value":     "GET /api/hello HTTP/1.1\r\nHost: x\r\nX-A: a\x01b\r\n\r\n",
	"a bare CR in a value":          "GET /api/hello HTTP/1.1\r\nHost: x\r\nX-A: a\rb\r\n\r\n",
	"a bare CR for a line's end":    "GET /api/hello HTTP/1.1\r\nHost: x\rX-A: b\r\n\r\n",
	"two CR":                        "GET /api/hello HTTP/1.1\r\nHost: x\r\r\n\r\n",
	"a bare CR in the request line": "GET /api/hello\r HTTP/1.1\r\nHost: x\r\n\r\n",
	"bare LF":                       "GET /api/hello HTTP/1.1\nHost: x\n\n",
	"bare LF in the request line":   "GET /api/hello HTTP/1.1\nHost: x\r\n\r\n",
	"bare LF after a field":         "GET /api/hello HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n",
	"bare LF at the end":            "GET /api/hello HTTP/1.1\r\nHost: x\r\n\n",
	"bare LF before":                "\nGET /api/hello HTTP/1.1\r\nHost: x\r\n\r\n",
	"a space before a colon":        "GET /api/hello HTTP/1.1\r\nHost : x\r\n\r\n",
	"a space in a name":             "GET /api/hello HTTP/1.1\r\nHost: x\r\nX A: b\r\n\r\n",
	"an empty name":                 "GET /api/hello HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
	"no colon":                      "GET /api/hello HTTP/1.1\r\nHost: x\r\nX-A\r\n\r\n",
	"HTTP/2.0":                      "GET /api/hello HTTP/2.0\r\nHost: x\r\n\r\n",
	"HTTP/2":                        "GET /api/hello HTTP/2\r\nHost: x\r\n\r\n",
	"the preface of HTTP/2":         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"HTTP/1.2":                      "GET /api/hello HTTP/1.2\r\nHost: x\r\n\r\n",
	"HTTP/0.9":                      "GET /api/hello HTTP/0.9\r\nHost: x\r\n\r\n",
	"HTTP/0.9 without a version":    "GET /api/hello\r\n",
	"http/1.1":                      "GET /api/hello http/1.1\r\nHost: x\r\n\r\n",
	"HTTP/1.1 and a space":          "GET /api/hello HTTP/1.1 \r\nHost: x\r\n\r\n",
	"HTTP/01.1":                     "GET /api/hello HTTP/01.1\r\nHost: x\r\n\r\n",
	"two spaces":                    "GET  /api/hello HTTP/1.1\r\nHost: x\r\n\r\n",
	"a tab for a space":             "GET\t/api/hello HTTP/1.1\r\nHost: x\r\n\r\n",
	"a space in the target":         "GET /api/hello x HTTP/1.1\r\nHost: x\r\n\r\n",
	"a NUL in the target":           "GET /api/hello\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
	"a control byte in the target":  "GET /api/hello\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
	"a target without a slash":      "GET api/hello HTTP/1.1\r\nHost: x\r\n\r\n",
	"a space before":                " GET /api/hello HTTP/1.1\r\nHost: x\r\n\r\n",
	"no size of a chunk":            chunked + "\r\nabcde\r\n0\r\n\r\n",
	"a size that is no number":      chunked + "g\r\nabcde\r\n0\r\n\r\n",
	"a size with a prefix":          chunked + "0x5\r\nabcde\r\n0\r\n\r\n",
	"a size with an underscore":     chunked + "1_0\r\nabcdefghijklmnop\r\n0\r\n\r\n",
	"a negative size":               chunked + "-5\r\nabcde\r\n0\r\n\r\n",
	"a size with a sign":            chunked + "+5\r\nabcde\r\n0\r\n\r\n",
	"a size beyond 64 bits":         chunked + "10000000000000005\r\nabcde\r\n0\r\n\r\n",
	"a size beyond 31 bits":         chunked + "fffffffff\r\nabcde\r\n0\r\n\r\n",
	"a space before a size":         chunked + " 5\r\nabcde\r\n0\r\n\r\n",
	"text after a size":             chunked + "5 a\r\nabcde\r\n0\r\n\r\n",
	"bare LF after a size":          chunked + "5\nabcde\r\n0\r\n\r\n",
	"bare LF in an extension":       chunked + "5;a\nb\r\nabcde\r\n0\r\n\r\n",
	"bare CR in an extension":       chunked + "5;a\rb\r\nabcde\r\n0\r\n\r\n",
	"bare LF after a chunk":         chunked + "5\r\nabcde\n0\r\n\r\n",
	"a chunk longer than its size":  chunked + "5\r\nabcdef\r\n0\r\n\r\n",
	"a chunk without an end":        chunked + "5\r\nabcde0\r\n\r\n",
	"a long extension":              chunked + "5;" + strings.Repeat("a", 20<<10) + "\r\nabcde\r\n0\r\n\r\n",
	"many extensions":               chunked + strings.Repeat("1;"+strings.Repeat("a", 1000)+"\r\na\r\n", 30) + "0\r\n\r\n",
	"a trailer without a colon":     chunked + "5\r\nabcde\r\n0\r\nX\r\n\r\n",
	"a folded trailer":              chunked + "5\r\nabcde\r\n0\r\nX: a\r\n b: c\r\n\r\n",
	"bare LF in the trailer":        chunked + "5\r\nabcde\r\n0\r\nX: a\n\r\n",
	"a long trailer":                chunked + "5\r\nabcde\r\n0\r\n" + strings.Repeat("X: "+strings.Repeat("a", 1000)+"\r\n", 30) + "\r\n",
}

const (
	chunked = "POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	next    = "GET /api/hello HTTP/1.1\r\nHost: x\r\n\r\n"
)

func TestFraming_RefusesWhatIsAmbiguousAndCloses(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, echoing)
	for name, text := range ambiguous {
		for _, before := range []string{"", next} { // on a new connection, and on one that has been used
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				client := dial(t, server.URL)
				if before != "" {
					client.send(before)
					client.answer()
				}
				client.send(text + next)
				res, body := client.answer()
				require.Equal(t, 400, res.StatusCode, body)
				require.True(t, res.Close)
				require.Equal(t, httpapi.ProblemType, res.Header.Get("Content-Type"))
				client.ended()
			})
		}
	}
}

func TestFraming_AcceptsWhatIsNot(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, echoing)
	for name, test := range map[string]struct{ text, body string }{
		"no body":                   {"GET /api/hello HTTP/1.1\r\nHost: x\r\n\r\n", "hello"},
		"a GET with a body":         {"GET /api/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde", "hello"},
		"empty lines before":        {"\r\n\r\nGET /api/hello HTTP/1.1\r\nHost: x\r\n\r\n", "hello"},
		"an absolute target":        {"GET http://x/api/hello HTTP/1.1\r\nHost: x\r\n\r\n", "hello"},
		"HTTP/1.0":                  {"GET /api/hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "hello"},
		"an address for a host":     {"GET /api/hello HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "hello"},
		"a length":                  {"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde", "abcde"},
		"names in other case":       {"POST /api/echo HTTP/1.1\r\nhOST:x\r\ncontent-lengtH:\t5 \r\n\r\nabcde", "abcde"},
		"text beyond ASCII":         {"GET /api/hello HTTP/1.1\r\nHost: x\r\nX-A: \xc3\xa9\r\n\r\n", "hello"},
		"chunks":                    {chunked + "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", "abcde"},
		"chunks in other case":      {strings.Replace(chunked, "chunked", "Chunked", 1) + "00A\r\nabcdefghij\r\n000\r\n\r\n", "abcdefghij"},
		"no chunks":                 {chunked + "0\r\n\r\n", ""},
		"extensions and a trailer":  {chunked + "5;a=\"b\" ;c\r\nabcde\r\n0;d\r\nX: a\r\nY: b\r\n\r\n", "abcde"},
		"what looks like a request": {"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\n" + next, next},
	} {
		for _, step := range []int{1, 7, 1 << 20} { // bytes that arrive together
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				client := dial(t, server.URL)
				go func() {
					text := test.text + next
					for len(text) > 0 {
						n := min(step, len(text))
						if _, err := io.WriteString(client, text[:n]); err != nil {
							return
						}
						text = text[n:]
					}
				}()
				res, body := client.answer()
				require.Equal(t, 200, res.StatusCode, body)
				require.Equal(t, test.body, body)
				if !res.Close { // a body that was not read may close the connection; then nothing is taken for a request
					_, body = client.answer()
					require.Equal(t, "hello", body)
				}
			})
		}
	}
}

func FuzzFraming_IsAsAnotherServerReadsIt(f *testing.F) {
	server := httpservertest.Serve(f, echoing, httpservertest.WithLog(zap.NewNop()))
	for _, text := range ambiguous {
		f.Add([]byte(text))
	}
	f.Add([]byte(chunked + "2\r\nab\r\n3;x\r\ncde\r\n0\r\nA: b\r\n\r\n"))
	f.Add([]byte("POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde"))
	f.Fuzz(func(t *testing.T, text []byte) {
		client := dial(t, server.URL)
		_, _ = client.Write(append(bytes.Clone(text), "\r\n\r\n"...))
		_ = client.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // a request that has not ended gets no answer
		res, err := http.ReadResponse(client.in, nil)
		if err != nil || res.StatusCode != 200 {
			return
		}
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
		if _, target := errors.AsType[*url.Error](err); target {
			return // the target has nothing to do with framing
		}
		require.NoError(t, err, "net/http refuses what was accepted")
		if request.Method == http.MethodPost {
			theirs, err := io.ReadAll(request.Body)
			require.NoError(t, err)
			require.Equal(t, string(theirs), string(body))
		}
	})
}
