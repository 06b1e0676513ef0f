package auth

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"

	"telltale/platform/openapi"
	"telltale/platform/openapi/openapitest"
)

// contract is the OpenAPI document of the module, which every request and answer of the tests is held against.
var contract = sync.OnceValue(func() *openapi3.T {
	whole, err := openapi.Assemble("1.0.0", openapi.Fragment{Name: "auth", YAML: openAPI})
	if err != nil {
		panic(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(whole.JSON)
	if err != nil {
		panic(err)
	}
	return doc
})

var contractRouter = sync.OnceValue(func() routers.Router {
	doc := *contract()
	doc.Servers = nil
	router, err := gorillamux.NewRouter(&doc)
	if err != nil {
		panic(err)
	}
	return router
})

// requireContract checks one exchange: the answer always, the request where it was accepted.
func requireContract(t *testing.T, request *http.Request, requestBody string, a answer) {
	if !strings.HasPrefix(request.URL.Path, "/api/auth/") {
		return
	}
	t.Helper()
	if request.Method == http.MethodHead {
		return
	}
	route, params, err := contractRouter().FindRoute(request)
	require.NoError(t, err)
	options := &openapi3filter.Options{IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	request.Body = io.NopCloser(bytes.NewBufferString(requestBody))
	input := &openapi3filter.RequestValidationInput{Request: request, PathParams: params, Route: route, Options: options}
	if a.status < 300 {
		require.NoError(t, openapi3filter.ValidateRequest(t.Context(), input), requestBody)
	}
	require.NoError(t, openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: a.status, Header: a.header, Options: options,
		Body: io.NopCloser(bytes.NewBufferString(a.body)),
	}), "%s %s", request.Method, request.URL.Path)
}

func TestContract_TheDocumentHasTheRoutesAndGoodExamples(t *testing.T) {
	t.Parallel()
	require.NoError(t, contract().Validate(t.Context(), openapi3.EnableExamplesValidation()))
	i := newInstance(t)
	var routes, documented []string
	parameter := regexp.MustCompile(`:(\w+)`)
	for _, route := range openapitest.Table(i.server.App) {
		if strings.HasPrefix(route.Path, "/api/auth/") {
			routes = append(routes, route.Method+" "+parameter.ReplaceAllString(route.Path, "{$1}"))
		}
	}
	for path, item := range contract().Paths.Map() {
		for method, operation := range item.Operations() {
			if strings.HasPrefix(path, "/api/auth/") {
				documented = append(documented, method+" "+path)
				require.NotEmpty(t, operation.Summary)
				require.NotEmpty(t, operation.Description)
			}
		}
	}
	slices.Sort(routes)
	slices.Sort(documented)
	require.Equal(t, routes, documented)
}
