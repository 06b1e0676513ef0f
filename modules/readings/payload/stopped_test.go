package payload_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/payload"
	"telltale/platform/fault"
)

// bomb is a body of 16 MiB of very small bad items.
func bomb(line string) string { return strings.Repeat(line, (16<<20)/len(line)) }

func TestStopped_DecodingEndsAfterTheLastBadItemAllowed(t *testing.T) {
	t.Parallel()
	for contentType, data := range map[string]string{
		asJSON: `{"readings":[` + bomb("0,"), asNDJSON: bomb("x\n"), asCSV: "device,m\n" + bomb("x\n"), "lines": bomb("x\n"),
	} {
		for allowed, want := range map[int]int{0: payload.MaxRejected + 1, payload.MaxRejects: payload.MaxRejects + 1} {
			req := payload.Request{ContentType: contentType, Data: []byte(data), MaxBytes: 17 << 20, Now: now, MaxRejected: allowed}
			if contentType == "lines" {
				req.LineProtocol = &payload.LineProtocol{}
			}
			d := payload.Get()
			body, err := d.Decode(req, &names{})
			require.NoError(t, err, contentType)
			require.True(t, body.Stopped)
			require.Equal(t, want, body.Rejected)
			require.Equal(t, want, body.Items)
			require.ErrorContains(t, body.Fault(), "readings are not valid; nothing was stored, and the rest was not read (the first 100 are listed)")
			payload.Put(d)
		}
	}
	_, body, err := decode(t, asNDJSON, strings.Repeat("x\n", payload.MaxRejected))
	require.NoError(t, err)
	require.False(t, body.Stopped)
}

func TestGzip_IsBoundedByRatioAndMembers(t *testing.T) {
	t.Parallel()
	line := `{"device":"d","values":{"m":1}}` + "\n"
	for name, c := range map[string]struct {
		data []byte
		kind fault.Kind
		want string
	}{
		"ratio":         {zip(t, strings.Repeat(" ", 8<<20)), fault.TooLarge, "inflates to more than 256 times its size"},
		"empty members": {bytes.Repeat(zip(t, ""), 1025), fault.Invalid, "has more than 1024 gzip members"},
		"members":       {bytes.Repeat(zip(t, line), 1024), 0, ""},
	} {
		var d payload.Decoder
		body, err := d.Decode(payload.Request{ContentType: asNDJSON, ContentEncoding: "gzip", Data: c.data, MaxBytes: 16 << 20, Now: now}, &names{})
		if c.want == "" {
			require.NoError(t, err, name)
			require.Equal(t, 1024, body.Items)
			continue
		}
		require.ErrorContains(t, err, c.want, name)
		require.Equal(t, c.kind, fault.KindOf(err))
	}
}
