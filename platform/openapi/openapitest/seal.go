package openapitest

import "github.com/getkin/kin-openapi/openapi3"

// sealer closes object schemas against properties that they do not name.
type sealer struct {
	seen map[*openapi3.Schema]bool
	// open holds the parts of an allOf: each of them sees the properties of the others.
	open map[*openapi3.Schema]bool
}

// seal closes every schema of the document.
func seal(doc *openapi3.T) {
	s := &sealer{seen: make(map[*openapi3.Schema]bool), open: make(map[*openapi3.Schema]bool)}
	if doc.Components != nil {
		for _, schema := range doc.Components.Schemas {
			s.visit(schema)
		}
		for _, response := range doc.Components.Responses {
			s.content(response.Value.Content)
		}
	}
	for _, item := range doc.Paths.Map() {
		for _, o := range item.Operations() {
			if o.RequestBody != nil {
				s.content(o.RequestBody.Value.Content)
			}
			for _, response := range o.Responses.Map() {
				s.content(response.Value.Content)
			}
		}
	}
	for schema := range s.seen {
		if len(schema.Properties) > 0 && !s.open[schema] && unsaid(schema.AdditionalProperties) {
			closed := false
			schema.AdditionalProperties.Has = &closed
		}
	}
}

func unsaid(more openapi3.AdditionalProperties) bool { return more.Has == nil && more.Schema == nil }

func (s *sealer) content(content openapi3.Content) {
	for _, media := range content {
		s.visit(media.Schema)
	}
}

func (s *sealer) visit(ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil || s.seen[ref.Value] {
		return
	}
	schema := ref.Value
	s.seen[schema] = true
	if len(schema.AllOf) > 0 {
		s.open[schema] = true
	}
	for _, part := range schema.AllOf {
		s.open[part.Value] = true
		s.visit(part)
	}
	for _, parts := range []openapi3.SchemaRefs{schema.OneOf, schema.AnyOf} {
		for _, part := range parts {
			s.visit(part)
		}
	}
	for _, property := range schema.Properties {
		s.visit(property)
	}
	s.visit(schema.Items)
	s.visit(schema.AdditionalProperties.Schema)
}
