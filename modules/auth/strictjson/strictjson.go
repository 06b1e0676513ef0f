// Package strictjson reads JSON that every reader must understand alike, such as a token's. It rejects what encoding/json accepts:
// duplicate members, names in another case, and null for a list.
//
// It does not know what the members mean; the caller does.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Members returns the members of a JSON object. Encoding/json would take the last of several of one name, and one whose name
// differs from the one meant in upper and lower case: here the former is an error for any name, the latter for those given.
func Members(data []byte, names []string) (map[string]json.RawMessage, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("it is not a JSON object")
	}
	members := map[string]json.RawMessage{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string) // the decoder takes nothing else for a name
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("the member %.64q is there more than once", name)
		}
		if exact := misspelled(name, names); exact != "" {
			return nil, fmt.Errorf("the member %.64q has to be written %q", name, exact)
		}
		members[name] = value
	}
	return members, nil
}

// misspelled returns the name that differs from the one given in upper and lower case alone, or "".
func misspelled(name string, names []string) string {
	for _, exact := range names {
		if name != exact && strings.EqualFold(name, exact) {
			return exact
		}
	}
	return ""
}

// Strings reads a JSON array of strings and nothing else; the result is never nil.
func Strings(data []byte) ([]string, error) {
	var entries []*string
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, err
	}
	if entries == nil {
		return nil, errors.New("it is null")
	}
	list := make([]string, len(entries))
	for i, entry := range entries {
		if entry == nil {
			return nil, fmt.Errorf("entry %d is null", i)
		}
		list[i] = *entry
	}
	return list, nil
}
