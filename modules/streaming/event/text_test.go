package event

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/series"
)

func TestText_IsWhatTheProtocolSays(t *testing.T) {
	t.Parallel()
	from, to := "2026-07-01T00:00:00.000Z", "2026-07-01T01:00:00.000Z"
	gap, err := AppendGap(nil, Position{Stamp: 9}, Gap{Reason: "slow", From: &from, To: &to, FromSeq: 3, ToSeq: 9, URL: "/api/readings?a=<&b"})
	require.NoError(t, err)
	unknown, err := AppendGap(nil, Position{Stamp: 9}, Gap{Reason: "unknown", URL: "/api/readings"})
	require.NoError(t, err)
	values := AppendValues(nil, []series.State{
		{Series: series.Series{Device: `a"b`, Metric: "m"}, LastValue: 1.5}, {Series: series.Series{Metric: "n"}, LastValue: -2},
	}, 1500)
	for want, got := range map[string][]byte{
		": connected\nretry: 3000\n\n":                    AppendOpening(nil),
		"event: position\nid: 7:2\ndata: {\"seq\":6}\n\n": AppendPosition(nil, Position{Stamp: 6, Next: 3}),
		"id: 7@60000\n": AppendID(nil, Position{Stamp: 7, Until: 60000}),
		`data: {"device":"a\"b","ts":"1970-01-01T00:00:01.500Z","values":{"m":1.5,"n":-2}}` + "\n\n":                                                           values,
		"event: gap\nid: 9\ndata: " + `{"reason":"slow","from":"` + from + `","to":"` + to + `","from_seq":3,"to_seq":9,"url":"/api/readings?a=<&b"}` + "\n\n": gap,
		"event: gap\nid: 9\ndata: " + `{"reason":"unknown","from":null,"to":null,"from_seq":0,"to_seq":0,"url":"/api/readings"}` + "\n\n":                      unknown,
	} {
		require.Equal(t, want, string(got))
	}
}
