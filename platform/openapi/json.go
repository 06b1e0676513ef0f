package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// writeJSON writes a YAML node as JSON, keys in their order. Dates that YAML would take for timestamps stay the text that
// was written: JSON has no others.
func writeJSON(out *bytes.Buffer, node *yaml.Node) error {
	node = follow(node)
	switch node.Kind {
	case yaml.MappingNode:
		return writeObject(out, node)
	case yaml.SequenceNode:
		out.WriteByte('[')
		for n, element := range node.Content {
			if n > 0 {
				out.WriteByte(',')
			}
			if err := writeJSON(out, element); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	default:
		return writeScalar(out, node)
	}
}

func writeObject(out *bytes.Buffer, mapping *yaml.Node) error {
	out.WriteByte('{')
	seen := make(map[string]bool)
	for key, value := range pairs(mapping) {
		if seen[key.Value] || key.Tag == "!!merge" {
			return fmt.Errorf("line %d: the key %s is there twice, or a merge key", key.Line, key.Value)
		}
		if len(seen) > 0 {
			out.WriteByte(',')
		}
		seen[key.Value] = true
		if err := encode(out, key.Value); err != nil {
			return err
		}
		out.WriteByte(':')
		if err := writeJSON(out, value); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func writeScalar(out *bytes.Buffer, node *yaml.Node) error {
	switch node.Tag {
	case "!!str", "!!timestamp":
		return encode(out, node.Value)
	default:
		var value any
		if err := node.Decode(&value); err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
		return encode(out, value)
	}
}

func encode(out *bytes.Buffer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // Encode ends with a newline
	return nil
}
