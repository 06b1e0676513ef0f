// Package openapitest checks an OpenAPI document against a running server: routes, completeness, examples, and every request and
// answer of a test's client.
//
// Its checks return errors rather than fail tests, so that they can be tested themselves; use require.NoError.
package openapitest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Contract is a document that is ready to check others.
type Contract struct {
	Doc    *openapi3.T
	router routers.Router
}

// operation is one operation of the document with its place.
type operation struct {
	method string
	path   string
	item   *openapi3.PathItem
	*openapi3.Operation
}

func (o operation) String() string { return o.method + " " + o.path }

// Load reads and validates the document: references, schemas, and that each example fits its schema. Objects are sealed:
// a property that the document does not name is taken for a mistake, unless additionalProperties allows it.
func Load(ctx context.Context, document []byte) (*Contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("loading the document: %w", err)
	}
	seal(doc)
	if err := doc.Validate(ctx, openapi3.EnableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("validating the document: %w", err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("building the document's routes: %w", err)
	}
	return &Contract{Doc: doc, router: router}, nil
}

// CompareRoutes returns an error that names every route which the document lacks and every operation which has no route.
// Routes whose path is in except, such as Undocumented, need no operation.
func (c *Contract) CompareRoutes(table []Route, except ...string) error {
	var errs []error
	served := make(map[string]bool)
	for _, route := range table {
		if slices.Contains(except, route.Path) {
			continue
		}
		served[route.Method+" "+documented(route.Path)] = true
	}
	described := make(map[string]bool)
	for _, o := range c.operations() {
		described[o.String()] = true
		if !served[o.String()] {
			errs = append(errs, fmt.Errorf("%s is documented, but there is no such route", o))
		}
	}
	for route := range served {
		if !described[route] {
			errs = append(errs, fmt.Errorf("%s is a route, but not documented", route))
		}
	}
	return join(errs)
}

// documented writes a path of Fiber, with its :parameters, as OpenAPI does.
func documented(path string) string {
	parts := strings.Split(path, "/")
	for n, part := range parts {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			parts[n] = "{" + strings.TrimSuffix(name, "?") + "}"
		}
	}
	return strings.Join(parts, "/")
}

// operations returns all operations, sorted by path, and those of a path in an order that suits running them.
func (c *Contract) operations() []operation {
	var all []operation
	for path, item := range c.Doc.Paths.Map() {
		for method, o := range item.Operations() {
			all = append(all, operation{method, path, item, o})
		}
	}
	slices.SortFunc(all, func(a, b operation) int {
		if byPath := strings.Compare(a.path, b.path); byPath != 0 {
			return byPath
		}
		return rank(a.method) - rank(b.method)
	})
	return all
}

// rank puts what creates before what reads, and what deletes last.
func rank(method string) int {
	return slices.Index([]string{
		http.MethodPost, http.MethodPut, http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPatch, http.MethodDelete,
	}, method)
}

// join sorts errors by text, so that failures can be compared from run to run.
func join(errs []error) error {
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
