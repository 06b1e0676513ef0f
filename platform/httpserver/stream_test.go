package httpserver_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"telltale/platform/fault"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
)

// streaming serves write at /api/body.
func streaming(write func(io.Writer) error) []httpapi.Routes {
	return []httpapi.Routes{{Name: "streaming", Mount: func(api fiber.Router) {
		api.Get("/body", func(c *fiber.Ctx) error {
			c.Set("Content-Type", "text/csv")
			return httpserver.Stream(c, write)
		})
	}}}
}

func TestStream_AShortStreamIsAnOrdinaryAnswer(t *testing.T) {
	t.Parallel()
	url := httpservertest.New(t, streaming(func(w io.Writer) error {
		_, err := io.WriteString(w, "short")
		return err
	})...)
	res, err := http.Get(url + "/api/body")
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "short", string(body))
	require.Equal(t, int64(5), res.ContentLength)
}

func TestStream_AnErrorBeforeTheFirstBytesIsAnsweredAsAnyOther(t *testing.T) {
	t.Parallel()
	url := httpservertest.New(t, streaming(func(w io.Writer) error {
		_, _ = io.WriteString(w, "held back")
		return fault.New(fault.TooLarge, "too many points")
	})...)
	res, err := http.Get(url + "/api/body")
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Contains(t, string(body), `"detail":"too many points"`)
	require.Equal(t, httpapi.ProblemType, res.Header.Get("Content-Type"))
	require.Equal(t, 413, res.StatusCode)
}

func TestStream_LongStreamsArriveWholeAndKeepTheConnection(t *testing.T) {
	t.Parallel()
	log, logs := httpservertest.WatchedLog()
	random := rand.New(rand.NewPCG(1, 2))
	var want strings.Builder
	var pieces []string
	for want.Len() < 5<<20 {
		size := random.IntN(100)
		if random.IntN(20) == 0 {
			size = random.IntN(3 << 20)
		}
		piece := strings.Repeat(string(rune('a'+random.IntN(26))), size)
		pieces = append(pieces, piece)
		want.WriteString(piece)
	}
	server := httpservertest.Serve(t, streaming(func(w io.Writer) error {
		for _, piece := range pieces {
			if n, err := io.WriteString(w, piece); err != nil || n != len(piece) {
				return err
			}
		}
		return nil
	}), httpservertest.WithLog(log))
	client := dial(t, server.URL)
	for range 3 {
		client.get("/api/body")
		res, body := client.answer()
		require.Equal(t, "text/csv", res.Header.Get("Content-Type"))
		require.Equal(t, []string{"chunked"}, res.TransferEncoding)
		require.True(t, body == want.String())
	}
	client.send("GET /api/body HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	_, body := client.answer()
	require.True(t, body == want.String())
	client.ended()
	requests := logs.FilterMessage("request").All()
	require.Len(t, requests, 4)
	require.EqualValues(t, want.Len(), requests[0].ContextMap()["bytes"])
}

func TestStream_AnOldClientGetsALongStreamToTheEndOfTheConnection(t *testing.T) {
	t.Parallel()
	client := dial(t, httpservertest.New(t, streaming(writeLong)...))
	client.send("GET /api/body HTTP/1.0\r\n\r\n")
	res, body := client.answer()
	require.Empty(t, res.TransferEncoding)
	require.Len(t, body, longBytes)
}

func TestStream_HeadOfALongStreamHasNoBody(t *testing.T) {
	t.Parallel()
	url := httpservertest.New(t, streaming(writeLong)...)
	res, err := http.Head(url + "/api/body")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 200, res.StatusCode)
}

func TestStream_ThatBreaksIsNotTakenForWhole(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(){"error": func() {}, "panic": func() { panic("so it goes") }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, logs := httpservertest.WatchedLog()
			server := httpservertest.Serve(t, streaming(func(w io.Writer) error {
				if err := writeLong(w); err != nil {
					return err
				}
				broken()
				return errBroken
			}), httpservertest.WithLog(log))
			res, err := server.Client.Get(server.URL + "/api/body")
			require.NoError(t, err)
			_, err = io.ReadAll(res.Body)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.NoError(t, res.Body.Close())
			require.NoError(t, server.Stop(t.Context()))
			require.NotEmpty(t, logs.FilterMessage("request").All()[0].ContextMap()["error"])
			if name == "panic" {
				require.Equal(t, 1, logs.FilterLevelExact(zapcore.ErrorLevel).Len())
			}
		})
	}
}

func TestStream_AFlushSendsWhatIsThere(t *testing.T) {
	t.Parallel()
	read := make(chan struct{})
	url := httpservertest.New(t, streaming(func(w io.Writer) error {
		_, _ = io.WriteString(w, "now")
		if err := w.(interface{ Flush() error }).Flush(); err != nil {
			return err
		}
		<-read
		_, err := io.WriteString(w, "then")
		return err
	})...)
	res, err := http.Get(url + "/api/body")
	require.NoError(t, err)
	defer res.Body.Close()
	now := make([]byte, 3)
	_, err = io.ReadFull(res.Body, now)
	require.NoError(t, err)
	require.Equal(t, "now", string(now))
	close(read)
	rest, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "then", string(rest))
}

func BenchmarkStream20MB(b *testing.B) {
	piece := strings.Repeat("[1762128000000,21.5],", 400)
	server := httpservertest.Serve(b, streaming(func(w io.Writer) error {
		for range 20 << 20 / len(piece) {
			if _, err := io.WriteString(w, piece); err != nil {
				return err
			}
		}
		return nil
	}))
	b.SetBytes(20 << 20)
	for b.Loop() {
		res, err := server.Client.Get(server.URL + "/api/body")
		require.NoError(b, err)
		_, err = io.Copy(io.Discard, res.Body)
		require.NoError(b, err)
		require.NoError(b, res.Body.Close())
	}
}
