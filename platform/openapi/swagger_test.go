package openapi

import (
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/swagger"
	"github.com/stretchr/testify/require"

	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
)

// checksums returns those that a copied module's files had as they were published, by name.
func checksums(t *testing.T, module string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(module, "SHA256SUMS"))
	require.NoError(t, err)
	sums := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[name] = sum
	}
	return sums
}

func TestSwagger_WhatIsCopiedOfOtherModulesIsTheOriginal(t *testing.T) {
	t.Parallel()
	for module, copied := range map[string][]string{"swaggerfiles": {"files.go", "dist/*"}, "swagregistry": {"*.go"}} {
		sums := checksums(t, module)
		for _, pattern := range copied {
			paths, err := filepath.Glob(filepath.Join(module, pattern))
			require.NoError(t, err)
			for _, path := range paths {
				name, err := filepath.Rel(module, strings.TrimSuffix(path, ".gz"))
				require.NoError(t, err)
				require.Equal(t, sums[name], fmt.Sprintf("%x", sha256.Sum256(original(t, path))), path)
				delete(sums, name)
			}
		}
		require.Empty(t, sums, "every file of %s that is listed is there", module)
	}
}

// original returns what the file holds, decompressed if its name says that it is compressed.
func original(t *testing.T, path string) []byte {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	var reader io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		reader, err = gzip.NewReader(file)
		require.NoError(t, err)
	}
	content, err := io.ReadAll(reader)
	require.NoError(t, err)
	return content
}

// foreignLink finds what gofiber/swagger's page would load from elsewhere: a style sheet of Google Fonts.
var foreignLink = regexp.MustCompile(`<link[^>]+href="(https?:)?//[^>]*>`)

// UPDATE_SWAGGER=1 writes the page again.
func TestSwagger_PageIsTheOneOfGofiberSwaggerWithoutItsLinkToAnotherHost(t *testing.T) {
	t.Parallel()
	base := httpservertest.New(t, httpapi.Routes{Name: "swagger", Mount: func(api fiber.Router) {
		api.Get("/docs/*", swagger.New(swagger.Config{
			Title:                  "Telltale API",
			URL:                    "/api/openapi.json",
			ValidatorUrl:           "none",       // the default sends the document to a validator on another host
			Layout:                 "BaseLayout", // without the bar that offers other documents
			DeepLinking:            true,
			DisplayRequestDuration: true,
			DocExpansion:           "list",
			ShowCommonExtensions:   true,
		}))
	}})
	_, made := get(t, base+"/api/docs/index.html")
	want := foreignLink.ReplaceAllString(made, "")
	require.NotEqual(t, made, want)
	if os.Getenv("UPDATE_SWAGGER") != "" {
		require.NoError(t, os.WriteFile("swagger.html", []byte(want), 0o600))
	}
	_, served := get(t, httpservertest.New(t, Routes(assemble(t)))+"/api/docs/index.html")
	require.Equal(t, want, served)
}

func TestSwagger_FilesComeAsPublishedWhetherCompressedOrNot(t *testing.T) {
	t.Parallel()
	base := httpservertest.New(t, Routes(assemble(t))) + "/api/docs/"
	types := map[string]string{".js": "javascript", "css": "text/css", "png": "image/png"}
	for name, sum := range checksums(t, "swaggerfiles") {
		file, served := strings.CutPrefix(name, "dist/")
		if !served {
			continue
		}
		for _, encoding := range []string{"", "identity", "gzip, deflate, br"} {
			res, body := get(t, base+file, "Accept-Encoding", encoding)
			require.Equal(t, http.StatusOK, res.StatusCode, file)
			require.Contains(t, res.Header.Get("Content-Type"), types[file[len(file)-3:]])
			if res.Header.Get("Content-Encoding") == "gzip" {
				require.Contains(t, encoding, "gzip")
				reader, err := gzip.NewReader(strings.NewReader(body))
				require.NoError(t, err)
				plain, err := io.ReadAll(reader)
				require.NoError(t, err)
				body = string(plain)
			}
			require.Equal(t, sum, fmt.Sprintf("%x", sha256.Sum256([]byte(body))), file)
		}
	}
}
