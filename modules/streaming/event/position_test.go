package event

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPosition_ReadsBackAsWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Position{
		"0": {}, "7": {Stamp: 7}, "7:0": {Stamp: 6, Next: 1}, "1:16777215": {Next: 16777216}, "7@60000": {Stamp: 7, Until: 60000}, "0:3": {}, "9223372036854775807": {Stamp: 1<<63 - 1},
	} {
		got, err := ParsePosition(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", ":", "1:", ":1", "-1", "+1", "1:-1", "1:+1", "1.0", " 1", "1 ", "1:2:3", "0x1", "9223372036854775808", "1:16777216", "١", "@", "1@", "@1", "1@-1", "1@2@3", "1@9007199254740992",
	} {
		_, err := ParsePosition(text)
		require.Error(t, err, text)
	}
}

func FuzzParsePosition(f *testing.F) {
	for _, seed := range []string{"", "0", "12", "12:3", "0:0", "1:16777215", "9223372036854775807:1", "-1:2", "1:2:3", "12@60000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePosition(text)
		if err != nil {
			require.Zero(t, p)
			return
		}
		require.GreaterOrEqual(t, p.Stamp, int64(0))
		require.GreaterOrEqual(t, p.Next, int32(0))
		again, err := ParsePosition(p.String())
		require.NoError(t, err)
		require.Equal(t, p, again)
	})
}
