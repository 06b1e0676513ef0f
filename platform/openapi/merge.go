package openapi

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// merge moves what is in part into doc.
func merge(doc, part *yaml.Node) error {
	for key, value := range pairs(part) {
		var err error
		switch key.Value {
		case "openapi":
			if want := lookup(doc, "openapi").Value; value.Value != want {
				err = fmt.Errorf("it is written for OpenAPI %s, not %s", value.Value, want)
			}
		case "paths":
			err = add(child(doc, "paths"), value, "the path ")
		case "components":
			for kind, definitions := range pairs(value) {
				if err = add(child(child(doc, "components"), kind.Value), definitions, "the component "+kind.Value+"/"); err != nil {
					break
				}
			}
		case "tags":
			err = addTags(child(doc, "tags"), value)
		default:
			err = fmt.Errorf("line %d: %s does not belong into a fragment", key.Line, key.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add moves the entries of a mapping.
func add(to, from *yaml.Node, what string) error {
	for key, value := range pairs(from) {
		if lookup(to, key.Value) != nil {
			return fmt.Errorf("line %d: %s%s is defined already", key.Line, what, key.Value)
		}
		to.Content = append(to.Content, key, value)
	}
	return nil
}

func addTags(to, from *yaml.Node) error {
	for _, tag := range from.Content {
		name := lookup(tag, "name")
		if name == nil {
			return fmt.Errorf("line %d: a tag has no name", tag.Line)
		}
		for _, known := range to.Content {
			if lookup(known, "name").Value == name.Value {
				return fmt.Errorf("line %d: the tag %s is defined already", tag.Line, name.Value)
			}
		}
		to.Content = append(to.Content, tag)
	}
	return nil
}

// uniqueOperations returns an error when two operations have the same operationId.
func uniqueOperations(doc *yaml.Node) error {
	seen := make(map[string]string)
	for path, item := range pairs(lookup(doc, "paths")) {
		for method, operation := range pairs(item) {
			id := lookup(operation, "operationId")
			if id == nil {
				continue
			}
			here := method.Value + " " + path.Value
			if there, taken := seen[id.Value]; taken {
				return fmt.Errorf("the operationId %s is that of %s and of %s", id.Value, there, here)
			}
			seen[id.Value] = here
		}
	}
	return nil
}

// pairs yields keys and values of a mapping, in order; of anything else, nothing.
func pairs(mapping *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if mapping = follow(mapping); mapping == nil || mapping.Kind != yaml.MappingNode {
			return
		}
		for n := 0; n+1 < len(mapping.Content); n += 2 {
			if !yield(mapping.Content[n], mapping.Content[n+1]) {
				return
			}
		}
	}
}

// lookup returns the value of a mapping's key, nil when there is none.
func lookup(mapping *yaml.Node, key string) *yaml.Node {
	for k, value := range pairs(mapping) {
		if k.Value == key {
			return follow(value)
		}
	}
	return nil
}

// child returns the mapping (or, for tags, the list) under a key, which it makes when there is none.
func child(mapping *yaml.Node, key string) *yaml.Node {
	if value := lookup(mapping, key); value != nil {
		return value
	}
	value := &yaml.Node{Kind: yaml.MappingNode}
	mapping.Content = append(mapping.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
	return value
}

func setString(mapping *yaml.Node, key, text string) {
	value := lookup(mapping, key)
	value.Tag, value.Value = "!!str", text
}

func follow(node *yaml.Node) *yaml.Node {
	for node != nil && node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}
