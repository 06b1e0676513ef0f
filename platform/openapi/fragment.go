package openapi

// Fragment is one module's part of the OpenAPI document: an OpenAPI 3.0 document in YAML with `paths`, `components` and
// `tags` of its own. Modules contribute theirs to the fx group "openapi"; they are merged by name, and a path or
// component defined twice is an error at start.
type Fragment struct {
	Name string
	YAML []byte
}
