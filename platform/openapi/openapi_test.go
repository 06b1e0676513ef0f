package openapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"telltale/platform/httpserver/httpservertest"
)

func TestMain(m *testing.M) { httpservertest.Main(m) }

func fragment(name, yaml string) Fragment { return Fragment{Name: name, YAML: []byte(yaml)} }

const things = `
openapi: 3.0.3
tags: [{name: things, description: Things.}]
paths:
  /api/things:
    get:
      operationId: listThings
      tags: [things]
      summary: List things
      description: All of them.
      security: [{bearer: []}]
      responses:
        '200':
          description: The things.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Thing'}
              example: {zeta: 1, alpha: 2026-11-01T00:00:00Z, none: ~, yes: true, float: 1.50, text: '12'}
        '401': {$ref: '#/components/responses/Unauthenticated'}
components:
  schemas:
    Thing: {type: object}
`

func assemble(t *testing.T, fragments ...Fragment) *Document {
	t.Helper()
	doc, err := Assemble("1.2.3", fragments...)
	require.NoError(t, err)
	return doc
}

func TestDocument_TheBaseDocumentIsValid(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(assemble(t).JSON)
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context(), openapi3.EnableExamplesValidation()))
	require.Equal(t, "1.2.3", doc.Info.Version)
	for _, name := range []string{
		"Unauthenticated", "Forbidden", "NotFound", "Conflict", "TooLarge", "UnsupportedMedia", "NotAcceptable", "Invalid",
		"TooManyRequests", "Internal", "Unavailable",
	} {
		require.Contains(t, doc.Components.Responses, name)
	}
}

func TestDocument_FragmentsAreMergedInTheOrderTheyWereWritten(t *testing.T) {
	t.Parallel()
	doc := assemble(t, fragment("things", things))
	require.Contains(t, string(doc.JSON),
		`"example":{"zeta":1,"alpha":"2026-11-01T00:00:00Z","none":null,"yes":true,"float":1.5,"text":"12"}`)
	loaded, err := openapi3.NewLoader().LoadFromData(doc.JSON)
	require.NoError(t, err)
	require.NoError(t, loaded.Validate(t.Context()))
	require.NotNil(t, loaded.Paths.Find("/api/things").Get)
	require.NotNil(t, loaded.Paths.Find("/api/health").Get)
	require.NotNil(t, loaded.Components.Schemas["Thing"])
	require.NotNil(t, loaded.Tags.Get("things"))
	require.NotEqual(t, assemble(t).ETag, doc.ETag)
	require.Equal(t, assemble(t, fragment("things", things)).ETag, doc.ETag)
}

func TestDocument_WhatIsDefinedTwiceIsAnError(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"the path /api/health is defined already":                  "paths: {/api/health: {}}",
		"the component schemas/Problem is defined already":         "components: {schemas: {Problem: {}}}",
		"the tag service is defined already":                       "tags: [{name: service}]",
		"a tag has no name":                                        "tags: [{}]",
		"the operationId getHealth is that of":                     "paths: {/api/x: {get: {operationId: getHealth}}}",
		"servers does not belong into a fragment":                  "servers: []",
		"it is written for OpenAPI 3.1.0, not 3.0.3":               "openapi: 3.1.0",
		"the key a is there twice":                                 "components: {schemas: {X: {a: 1, a: 2}}}",
		"reading the OpenAPI fragment broken: it is not a mapping": "[]",
		"reading the OpenAPI fragment broken: yaml":                "{",
	} {
		_, err := Assemble("1", fragment("broken", text))
		require.ErrorContains(t, err, want)
	}
}

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	for n := 0; n < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

func TestDocument_IsCompressedForThoseWhoAsk(t *testing.T) {
	t.Parallel()
	doc := assemble(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, httpservertest.New(t, Routes(doc))+"/api/openapi.json", nil)
	require.NoError(t, err)
	transport := &http.Transport{DisableCompression: true} // it names no encoding, like curl
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Empty(t, res.Header.Get("Content-Encoding"))
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.JSONEq(t, string(doc.JSON), string(body))
}

func TestDocument_IsServedWithAnETag(t *testing.T) {
	t.Parallel()
	doc := assemble(t)
	url := httpservertest.New(t, Routes(doc)) + "/api/openapi.json"
	for _, encoding := range []string{"gzip", "identity"} {
		res, body := get(t, url, "Accept-Encoding", encoding)
		require.Equal(t, "application/json", res.Header.Get("Content-Type"))
		require.Equal(t, encoding == "gzip", res.Header.Get("Content-Encoding") == "gzip")
		if encoding == "identity" {
			require.JSONEq(t, string(doc.JSON), body)
		}
		for _, known := range []string{res.Header.Get("ETag"), `"x", ` + res.Header.Get("ETag"), "*"} {
			res, body = get(t, url, "If-None-Match", known)
			require.Equal(t, http.StatusNotModified, res.StatusCode)
			require.Empty(t, body)
		}
	}
}

var reference = regexp.MustCompile(`(?:src|href)="([^"]*)"`)

func TestDocument_ThePagesAndWhatTheyLoadComeFromThisServerAlone(t *testing.T) {
	t.Parallel()
	base := httpservertest.New(t, Routes(assemble(t)))
	for _, page := range []string{"/api/docs", "/api/docs/", "/api/docs/index.html", "/api/redoc", "/api/redoc/"} {
		res, body := get(t, base+page)
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.Contains(t, res.Header.Get("Content-Type"), "text/html")
		require.Contains(t, body, "/api/openapi.json")
		policy := res.Header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.NotRegexp(t, `https?:|script-src[^;]*unsafe`, policy)
		assets := 0
		for _, match := range reference.FindAllStringSubmatch(body, -1) {
			if strings.HasPrefix(match[1], "data:") {
				continue
			}
			require.NotRegexp(t, `^(https?:)?//`, match[1])
			url, err := res.Request.URL.Parse(match[1])
			require.NoError(t, err)
			asset, _ := get(t, url.String())
			require.Equal(t, http.StatusOK, asset.StatusCode, url)
			assets++
		}
		require.Positive(t, assets)
	}
	for _, path := range []string{"/api/docs/doc.json", "/api/docs/swagger-ui-bundle.js.map", "/api/docs/swagger-ui-bundle.js.gz", "/api/docs/nothing.js"} {
		res, _ := get(t, base+path)
		require.Equal(t, http.StatusNotFound, res.StatusCode, path)
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
	}
}

func TestDocument_SwaggerIsNotMisledByAForwardedPrefix(t *testing.T) {
	t.Parallel()
	base := httpservertest.New(t, Routes(assemble(t)))
	_, body := get(t, base+"/api/docs/index.html", "X-Forwarded-Prefix", "//evil.example")
	require.NotContains(t, body, "evil")
}

func TestDocument_TheVendoredReDocIsThePublishedOneButForItsLogo(t *testing.T) {
	t.Parallel()
	notes, err := os.ReadFile("redoc/VENDOR.md")
	require.NoError(t, err)
	published := regexp.MustCompile("bundle \\| sha256 `([0-9a-f]{64})`").FindSubmatch(notes)
	reader, err := gzip.NewReader(bytes.NewReader(redocScript))
	require.NoError(t, err)
	script, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.NotContains(t, string(script), "cdn.redoc.ly")
	original := bytes.Replace(script,
		[]byte("data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22/%3E"),
		[]byte("https://cdn.redoc.ly/redoc/logo-mini.svg"), 1)
	sum := sha256.Sum256(original)
	require.Equal(t, string(published[1]), hex.EncodeToString(sum[:]))
}

func TestDocument_EveryStatusOfTheSharedAnswersIsItsExamples(t *testing.T) {
	t.Parallel()
	var doc struct {
		Components struct {
			Responses map[string]struct {
				Content map[string]struct{ Example map[string]any }
			}
		}
	}
	require.NoError(t, json.Unmarshal(assemble(t).JSON, &doc))
	require.Len(t, doc.Components.Responses, 11)
	for name, response := range doc.Components.Responses {
		example := response.Content["application/problem+json"].Example
		require.NotEmpty(t, example["detail"], name)
		require.GreaterOrEqual(t, example["status"], 400.0, name)
	}
}
