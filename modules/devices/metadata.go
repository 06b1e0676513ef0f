package devices

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What PostgreSQL's jsonb would refuse, or turn into something much larger, is refused here.
const (
	maxMetadata         = 16 << 10 // bytes
	maxMetadataDepth    = 32
	maxNumberLength     = 400 // written without an exponent, as jsonb does
	metadataTooLarge    = "must be at most 16 KiB of JSON"
	metadataNotAnObject = "must be a JSON object"
)

// parseMetadata decodes a JSON object and checks it. Numbers keep their digits. Its errors are fit for a caller's eyes.
func parseMetadata(raw json.RawMessage) (map[string]any, error) {
	if len(raw) > 8*maxMetadata { // escapes and blanks do not count, but they need not be endless
		return nil, errors.New(metadataTooLarge)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errors.New(metadataNotAnObject)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New(metadataNotAnObject)
	}
	if _, err := checkMetadata(object, 1); err != nil {
		return nil, err
	}
	return object, nil
}

// formatMetadata is the inverse of parseMetadata. It returns an error when the object has grown over the limit.
func formatMetadata(object map[string]any) (json.RawMessage, error) {
	extra, err := checkMetadata(object, 1)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		return nil, fmt.Errorf("encoding metadata: %w", err)
	}
	compact := bytes.TrimSuffix(text.Bytes(), []byte("\n"))
	if len(compact)+extra > maxMetadata {
		return nil, errors.New(metadataTooLarge)
	}
	return compact, nil
}

// mergePatch applies an RFC 7396 patch to the target, in place, and returns it.
func mergePatch(target, patch map[string]any) map[string]any {
	for key, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(target, key)
		case map[string]any:
			inner, ok := target[key].(map[string]any)
			if !ok {
				inner = map[string]any{}
			}
			target[key] = mergePatch(inner, value)
		default:
			target[key] = value
		}
	}
	return target
}

// checkMetadata walks a value; extra is by how many bytes jsonb's spelling of it, which knows no exponents, may be
// longer than the one given.
func checkMetadata(value any, depth int) (extra int, err error) {
	if depth > maxMetadataDepth {
		return 0, fmt.Errorf("must be nested at most %d deep", maxMetadataDepth)
	}
	each := func(value any) {
		var more int
		if err == nil {
			more, err = checkMetadata(value, depth+1)
			extra += more
		}
	}
	switch value := value.(type) {
	case string:
		if strings.ContainsRune(value, 0) {
			return 0, errors.New("must not contain the character U+0000")
		}
	case json.Number:
		return checkNumber(value.String())
	case []any:
		for _, element := range value {
			each(element)
		}
	case map[string]any:
		for key, member := range value {
			each(key)
			each(member)
		}
	}
	return extra, err
}

func checkNumber(digits string) (extra int, err error) {
	if e := strings.IndexAny(digits, "eE"); e >= 0 {
		extra, err = strconv.Atoi(digits[e+1:])
		extra = max(extra, -extra)
	}
	if err != nil || extra > maxNumberLength || len(digits)+extra > maxNumberLength {
		return 0, fmt.Errorf("must not contain numbers of more than %d digits", maxNumberLength)
	}
	return extra, nil
}
