package devices

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMetadata_MergePatchFollowsTheExamplesOfRFC7396(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ target, patch, merged string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"n":12345678901234567890}`, `{"m":0.10}`, `{"n":12345678901234567890,"m":0.10}`},
	} {
		merged, err := mergeMetadata(json.RawMessage(c.target), json.RawMessage(c.patch))
		require.NoError(t, err)
		require.JSONEq(t, c.merged, string(merged))
	}
}

func TestMetadata_ThatJSONBWouldRefuseOrBlowUpIsRefused(t *testing.T) {
	t.Parallel()
	for metadata, reason := range map[string]string{
		`[]`:                                     metadataNotAnObject,
		`"x"`:                                    metadataNotAnObject,
		`null`:                                   metadataNotAnObject,
		`{"a":"\u0000"}`:                         "must not contain the character U+0000",
		`{"\u0000":1}`:                           "must not contain the character U+0000",
		`{"a":1e999}`:                            "must not contain numbers of more than 400 digits",
		`{"a":[1e-99999]}`:                       "must not contain numbers of more than 400 digits",
		`{"a":1e99999999999999999999}`:           "must not contain numbers of more than 400 digits",
		`{"a":` + strings.Repeat("9", 401) + `}`: "must not contain numbers of more than 400 digits",
		`{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`: "must be nested at most 32 deep",
	} {
		_, err := parseMetadata(json.RawMessage(metadata))
		require.EqualError(t, err, reason, "%.40s", metadata)
	}
}

func TestMetadata_IsMeasuredAsItIsStored(t *testing.T) {
	t.Parallel()
	fits := `{"a":"` + strings.Repeat("<", maxMetadata-8) + `"}`
	escaped := `{ "a" : "` + strings.Repeat(`\u003c`, maxMetadata-8) + `" }`
	for _, metadata := range []string{fits, escaped} {
		object, err := parseMetadata(json.RawMessage(metadata))
		require.NoError(t, err)
		compact, err := formatMetadata(object)
		require.NoError(t, err)
		require.Len(t, compact, maxMetadata)
	}
	for _, metadata := range []string{
		strings.Replace(fits, "<", "<<", 1),
		`{"a":[` + strings.Repeat("1e390,", 100) + `1]}`,
		`{"a":"` + strings.Repeat("x", 9*maxMetadata) + `"}`,
	} {
		_, err := Draft{ID: "a", Metadata: json.RawMessage(metadata)}.row()
		require.ErrorContains(t, err, metadataTooLarge)
	}
}
