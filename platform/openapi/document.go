// Package openapi joins the modules' fragments into one OpenAPI document and serves it: as JSON, in Swagger UI and in ReDoc, with
// every asset from this server.
//
// It describes no call: each module describes its own. Package openapitest tests that the document is true.
package openapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed base.yaml
var baseYAML []byte

// Document is the whole OpenAPI document.
type Document struct {
	// JSON is the document, its objects in the order in which they were written.
	JSON []byte
	// ETag is an entity tag of JSON, weak because JSON may travel compressed.
	ETag string
}

// Assemble merges the base document (info, security schemes, the Problem schema, the shared error answers) with the
// fragments, in order of their names. A path, component, tag or operationId that is defined twice is an error, and so is
// a fragment that holds anything but openapi, paths, components and tags. References are not resolved here; tests
// validate the assembled document.
func Assemble(version string, fragments ...Fragment) (*Document, error) {
	doc, err := parse(Fragment{Name: "base", YAML: baseYAML})
	if err != nil {
		return nil, err
	}
	setString(lookup(doc, "info"), "version", version)
	sorted := slices.Clone(fragments)
	slices.SortFunc(sorted, func(a, b Fragment) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range sorted {
		part, err := parse(f)
		if err != nil {
			return nil, err
		}
		if err := merge(doc, part); err != nil {
			return nil, fmt.Errorf("merging the OpenAPI fragment %s: %w", f.Name, err)
		}
	}
	if err := uniqueOperations(doc); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := writeJSON(&out, doc); err != nil {
		return nil, fmt.Errorf("writing the OpenAPI document as JSON: %w", err)
	}
	sum := sha256.Sum256(out.Bytes())
	return &Document{JSON: out.Bytes(), ETag: `W/"` + hex.EncodeToString(sum[:8]) + `"`}, nil
}

// parse returns the mapping at the root of the fragment.
func parse(f Fragment) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(f.YAML, &doc); err != nil {
		return nil, fmt.Errorf("reading the OpenAPI fragment %s: %w", f.Name, err)
	}
	if doc.Kind != yaml.DocumentNode || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("reading the OpenAPI fragment %s: it is not a mapping", f.Name)
	}
	return doc.Content[0], nil
}
