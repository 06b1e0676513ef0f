package httpapi

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"telltale/platform/fault"
)

func TestSameSite_RefusesWhatPagesOfOtherSitesSend(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	check := func(s *SameSite, header map[string]string) error {
		var ctx fasthttp.RequestCtx
		ctx.Request.Header.SetMethod("POST")
		ctx.Request.Header.Set("Host", "telltale.example:8000")
		for name, value := range header {
			ctx.Request.Header.Set(name, value)
		}
		c := app.AcquireCtx(&ctx)
		defer app.ReleaseCtx(c)
		return s.Check(c)
	}
	closed, listed, open := NewSameSite(nil), NewSameSite([]string{"https://board.example"}), NewSameSite([]string{"*"})
	for name, test := range map[string]struct {
		header map[string]string
		good   bool
	}{
		"no browser":                       {map[string]string{}, true},
		"its own page":                     {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://telltale.example:8000"}, true},
		"the address bar":                  {map[string]string{"Sec-Fetch-Site": "none"}, true},
		"its own page by plain HTTP":       {map[string]string{"Origin": "http://telltale.example:8000"}, true},
		"its own page behind a proxy":      {map[string]string{"Origin": "https://public.example", "X-Forwarded-Host": "public.example"}, true},
		"another site":                     {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, false},
		"another site without Origin":      {map[string]string{"Sec-Fetch-Site": "cross-site"}, false},
		"another site by plain HTTP":       {map[string]string{"Origin": "http://evil.example"}, false},
		"another port":                     {map[string]string{"Origin": "http://telltale.example:9000"}, false},
		"a sibling's page":                 {map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://blog.example"}, false},
		"a frame without an origin":        {map[string]string{"Origin": "null"}, false},
		"a word that no browser says":      {map[string]string{"Sec-Fetch-Site": "friendly"}, false},
		"another site that names its host": {map[string]string{"Sec-Fetch-Site": "cross-site", "X-Forwarded-Host": "telltale.example:8000"}, false},
	} {
		for _, s := range []*SameSite{closed, listed, open} {
			err := check(s, test.header)
			if test.good {
				require.NoError(t, err, name)
				continue
			}
			require.Equal(t, fault.Forbidden, fault.KindOf(err), name)
		}
	}
	require.NoError(t, check(listed, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://board.example"}))
	require.Error(t, check(listed, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "http://board.example"}))
	require.Equal(t, []bool{false, false, true}, []bool{closed.Open(), listed.Open(), open.Open()})
}
