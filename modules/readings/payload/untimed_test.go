package payload_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/payload"
)

func TestUntimed_ReadingsOfOneBodyAreKeptApart(t *testing.T) {
	t.Parallel()
	want := []string{
		"0 a m 1699999999998 1", "1 b m 1699999999999 2", "2 a m 1699999999999 3", "2 a k 1699999999999 4",
		"3 a m 5 5", "4 b m 1700000000000 6", "5 a k 1700000000000 7", "5 a m 1700000000000 8",
	}
	for contentType, data := range map[string]string{
		asJSON: `{"readings":[{"device":"a","values":{"m":1}},{"device":"b","ts":null,"values":{"m":2}},{"values":{"m":3,"k":4},"device":"a"},
			{"device":"a","ts":5,"values":{"m":5}},{"device":"b","metric":"m","value":6},{"device":"a","values":{"k":7,"m":8}}]}`,
		asNDJSON: `{"device":"a","values":{"m":1}}
{"device":"b","values":{"m":2}}
{"device":"a","values":{"m":3,"k":4}}
{"device":"a","ts":5,"values":{"m":5}}
{"device":"b","values":{"m":6}}
{"device":"a","values":{"k":7,"m":8}}`,
	} {
		got, body, err := decode(t, contentType, data)
		require.NoError(t, err)
		require.Empty(t, body.Rejects)
		require.Equal(t, want, got)
		require.Zero(t, body.Overwritten())
	}
	got, _, err := decode(t, asCSV, "device,ts,m\na,,1\na,5,2\n\nb,,3\na,,4\na,\"\",5\n")
	require.NoError(t, err)
	require.Equal(t, []string{"0 a m 1699999999998 1", "1 a m 5 2", "2 b m 1700000000000 3", "3 a m 1699999999999 4", "4 a m 1700000000000 5"}, got)
	got, _, err = decode(t, asCSV, "device,m\na,1\na,2\n")
	require.NoError(t, err)
	require.Equal(t, []string{"0 a m 1699999999999 1", "1 a m 1700000000000 2"}, got)
	got, rejects := decodeLines(t, payload.LineProtocol{}, "m,host=a value=1\nm,host=a value=2 5\nbad\nm,host=b,x=1 value=3,k=4\nm,host=a value=5,k=6")
	require.Len(t, rejects, 1)
	require.Equal(t, []string{"0 a m 1699999999999 1", "1 a m 0 2", "3 b m;x=1 1700000000000 3", "3 b m.k;x=1 1700000000000 4", "4 a m 1700000000000 5", "4 a m.k 1700000000000 6"}, got)
}

func TestOverwritten_CountsReadingsThatCannotBeReadBack(t *testing.T) {
	t.Parallel()
	for csv, want := range map[string]int{
		"a,1,1\na,2,1\nb,1,1\nb,2,1\n":               0,
		"a,1,1\na,1,2\n":                             1,
		"a,1,1\na,1,1\na,1,1\n":                      2,
		"a,3,1\na,2,1\na,1,1\n":                      0,
		"a,1,1\nb,1,1\na,2,1\nb,2,1\na,1,2\nb,2,9\n": 2,
		"a,1700000000000,1\na,,2\n":                  1,
		"a,1,\na,1,2\n":                              0,
	} {
		_, body, err := decode(t, asCSV, "device,ts,m\n"+csv)
		require.NoError(t, err)
		require.Equal(t, want, body.Overwritten(), csv)
	}
}

func TestNull_IsNoReading(t *testing.T) {
	t.Parallel()
	for contentType, data := range map[string]string{
		asJSON:   `{"readings":[{"device":"a","ts":5,"values":{"m":null,"k":2,"o":null}},{"device":"a","ts":6,"values":{"m":null}},{"device":"a","ts":7,"metric":"m","value":null}]}`,
		asNDJSON: `{"values":{"k":2,"m":null},"device":"a","ts":5}` + "\n" + `{"device":"a","metric":"m","ts":6,"value":null}`,
		asCSV:    "device,ts,m,k\na,5,null,2\na,6,,NULL\n",
	} {
		got, body, err := decode(t, contentType, data)
		require.NoError(t, err)
		require.Empty(t, body.Rejects)
		require.Equal(t, []string{"0 a k 5 2"}, got)
	}
	_, body, err := decode(t, asNDJSON, `{"device":"a","values":{"m":null}}`)
	require.NoError(t, err)
	require.Empty(t, body.Series)
}

func TestRounded_CountsIntegersThatNoFloatIs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"9007199254740992": 0, "-9007199254740992": 0, "9007199254740993": 1, "-9007199254740993": 1, "9007199254740994": 0,
		"18446744073709551615": 1, "18446744073709551616": 0, "9007199254740993.0": 0, "1e300": 0, "12345678901234567890123": 1, "1": 0,
	} {
		for contentType, data := range map[string]string{
			asJSON: `{"readings":[{"device":"a","values":{"m":` + text + `,"k":"x"}},{"device":"a","values":{"m":` + text + `}}]}`,
			asCSV:  "device,m\na," + text + "\n",
		} {
			_, body, err := decode(t, contentType, data)
			require.NoError(t, err)
			require.Equal(t, want, body.Rounded, text)
		}
	}
	var d payload.Decoder
	body, err := d.Decode(payload.Request{
		LineProtocol: &payload.LineProtocol{}, MaxBytes: 1000, Now: now,
		Data: []byte("m,host=a a=9007199254740993i,b=9007199254740992i,c=18446744073709551615u,d=1e300"),
	}, &names{})
	require.NoError(t, err)
	require.Equal(t, 2, body.Rounded)
}
