package httpserver_test

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
)

// compressing serves bodies at /api/body: one of the size asked for, or one that fails in the end.
func compressing(t *testing.T) string {
	t.Helper()
	return httpservertest.New(t, httpapi.Routes{Name: "compressing", Mount: func(api fiber.Router) {
		api.Get("/body", func(c *fiber.Ctx) error {
			return httpserver.StreamCompressed(c, func(w io.Writer) error {
				for range c.QueryInt("lines") {
					if _, err := io.WriteString(w, "[1762128000000,21.5],"); err != nil {
						return err
					}
				}
				if c.QueryBool("fail") {
					return fault.New(fault.TooLarge, "in the end")
				}
				return nil
			})
		})
	}})
}

func get(t *testing.T, url, accept string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	require.NoError(t, err)
	request.Header.Set("Accept-Encoding", accept) // set by hand, so that net/http does not decompress
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, body
}

func TestStreamCompressed_BodiesAreCompressedAsTheClientLikes(t *testing.T) {
	t.Parallel()
	url := compressing(t)
	for accept, want := range map[string]string{
		"identity": "", "br": "", "": "", "gzip": "gzip", "zstd": "zstd", "gzip, deflate, br, zstd": "zstd", "*": "zstd",
		"gzip;q=1.0, zstd;q=0.5": "gzip", "zstd;q=0, *": "gzip", "gzip;q=0": "", "GZIP ; q=0.3": "gzip", "zstd;q=nonsense": "", "*;q=0": "",
	} {
		for _, lines := range []int{0, 10, 1000, 50_000} {
			response, body := get(t, url+"/api/body?lines="+strconv.Itoa(lines), accept)
			require.Equal(t, "Accept-Encoding", response.Header.Get("Vary"))
			coding := response.Header.Get("Content-Encoding")
			if lines <= 10 {
				require.Empty(t, coding, "tiny bodies are sent as they are")
			} else {
				require.Equal(t, want, coding, accept)
			}
			var plain io.Reader = bytes.NewReader(body)
			switch coding {
			case "gzip":
				unzipped, err := gzip.NewReader(plain)
				require.NoError(t, err)
				plain = unzipped
			case "zstd":
				decoder, err := zstd.NewReader(plain)
				require.NoError(t, err)
				defer decoder.Close()
				plain = decoder
			}
			text, err := io.ReadAll(plain)
			require.NoError(t, err)
			require.True(t, strings.Repeat("[1762128000000,21.5],", lines) == string(text))
		}
	}
}

func TestStreamCompressed_AnErrorBeforeTheFirstCompressedBytesIsAnsweredAsAnyOther(t *testing.T) {
	t.Parallel()
	url := compressing(t)
	response, body := get(t, url+"/api/body?lines=1000&fail=true", "zstd")
	require.Equal(t, 413, response.StatusCode)
	require.Empty(t, response.Header.Get("Content-Encoding"))
	require.Contains(t, string(body), "in the end")
}

// The sizes and the speed that compression brings to 100,000 points.
func BenchmarkCompressed(b *testing.B) {
	var text strings.Builder
	for i := range 100_000 {
		text.WriteString("[1762" + strconv.Itoa(100_000_000+i*10_000) + "," + strconv.Itoa(18+i*7919%14) + "." + strconv.Itoa(i*31%10) + "],")
	}
	for _, coding := range []string{"identity", "gzip", "zstd"} {
		b.Run(coding, func(b *testing.B) {
			server := httpservertest.Serve(b, []httpapi.Routes{{Name: "b", Mount: func(api fiber.Router) {
				api.Get("/body", func(c *fiber.Ctx) error {
					return httpserver.StreamCompressed(c, func(w io.Writer) error {
						for piece := text.String(); len(piece) > 0; {
							n := min(len(piece), 64<<10)
							if _, err := io.WriteString(w, piece[:n]); err != nil {
								return err
							}
							piece = piece[n:]
						}
						return nil
					})
				})
			}}})
			size := int64(0)
			for b.Loop() {
				request, err := http.NewRequestWithContext(b.Context(), "GET", server.URL+"/api/body", nil)
				require.NoError(b, err)
				request.Header.Set("Accept-Encoding", coding)
				response, err := server.Client.Do(request)
				require.NoError(b, err)
				size, err = io.Copy(io.Discard, response.Body)
				require.NoError(b, err)
				require.NoError(b, response.Body.Close())
			}
			b.SetBytes(int64(text.Len()))
			b.ReportMetric(float64(size)/float64(text.Len()), "ratio")
		})
	}
}
