package devices

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidate_IDsArePrintableAndFreeOfReservedCharacters(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"a", "greenhouse-7", "AA:BB:CC:00:11:22", "température", "温室", "100%", "a+b=c&d;e#f", "...", "{x}|~^`<>",
		strings.Repeat("x", 128), strings.Repeat("é", 64),
	} {
		require.NoError(t, ValidateID(id), id)
		require.NoError(t, ValidateMetric(id), id)
		require.NoError(t, ValidateTag(id), id)
	}
	for id, reason := range map[string]string{
		"":                       "must be 1 to 128 bytes long",
		strings.Repeat("x", 129): "must be 1 to 128 bytes long",
		strings.Repeat("é", 65):  "must be 1 to 128 bytes long",
		".":                      "must not be one or two dots",
		"..":                     "must not be one or two dots",
		"a b":                    "must not contain spaces or unprintable characters such as U+0020",
		"a\x00":                  "must not contain spaces or unprintable characters such as U+0000",
		"a\n":                    "must not contain spaces or unprintable characters such as U+000A",
		"a\u00a0b":               "must not contain spaces or unprintable characters such as U+00A0",
		"a\u200bb":               "must not contain spaces or unprintable characters such as U+200B",
		"a\u202eb":               "must not contain spaces or unprintable characters such as U+202E",
		"a\ufeff":                "must not contain spaces or unprintable characters such as U+FEFF",
		"a\xff":                  "must be valid UTF-8",
		"\xc3":                   "must be valid UTF-8",
	} {
		require.EqualError(t, ValidateID(id), reason, "%q", id)
		if !strings.HasSuffix(reason, "long") {
			require.EqualError(t, ValidateMetric(id), reason, "%q", id)
		}
		require.EqualError(t, ValidateTag(id), reason, "%q", id)
	}
	for _, r := range `/\*?[],"'` {
		require.EqualError(t, ValidateID("a"+string(r)), `must not contain any of / \ * ? [ ] , " '`)
	}
}

func TestMetric_HasUpTo512Bytes(t *testing.T) {
	t.Parallel()
	require.NoError(t, ValidateMetric(strings.Repeat("é", 256)))
	require.EqualError(t, ValidateMetric(strings.Repeat("x", 513)), "must be 1 to 512 bytes long")
	require.EqualError(t, ValidateMetric(""), "must be 1 to 512 bytes long")
}

func TestValidate_NamesAndUnitsAreOneLineOfText(t *testing.T) {
	t.Parallel()
	require.NoError(t, validateName(""))
	require.NoError(t, validateName(strings.Repeat("ü", 200)+""))
	require.NoError(t, validateUnit("µg/m³"))
	require.Error(t, validateName(strings.Repeat("ü", 201)))
	require.Error(t, validateUnit(strings.Repeat("m", 33)))
	for _, text := range []string{"a\x00", "a\nb", "\x7f", "\xff"} {
		require.Error(t, validateName(text), "%q", text)
		require.Error(t, validateUnit(text), "%q", text)
	}
}
