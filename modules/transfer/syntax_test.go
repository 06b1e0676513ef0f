package transfer

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"github.com/stretchr/testify/require"
)

func TestSyntax_IsToldByTheContent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Format{
		"device,ts,m\na,1,2":              CSV,
		"\n\xef\xbb\xbf":                  "",
		"\xef\xbb\xbfts,\"device\",m\n":   CSV,
		"\n# note\n{\"device\":\"a\"}":    NDJSON,
		"# note\nm,host=a value=1":        Lines,
		"m value=1 2":                     Lines,
		"{ \"readings\" : [":              "",
		"ts,temperature\n1,2":             "",
		"PK\x03\x04":                      "",
		"\x00\x00":                        "",
		"a sentence, and\nm,device=b v=1": "",
	} {
		got, err := detect(bufio.NewReader(strings.NewReader(text)))
		require.Equal(t, want, got, text)
		require.Equal(t, want == "", err != nil, text)
	}
}

func TestSyntax_FindsTheDeviceOfARecord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"device":"a","values":{"m":1}}`:         "a",
		`{"values":{"device":1}, "device" : "a"}`: "a",
		`{"metric":"device","device":"b"}`:        "b",
		`{"device":"\u0061"}`:                     "a",
		`{"device":5}`:                            "",
		`{`:                                       "",
		`{"values":{"x\"device\":\"no":1},"device":"a\u0020"}`: "a ",
	} {
		require.Equal(t, want, string(deviceOfJSON([]byte(text))), text)
	}
	for row, want := range map[string]string{`1,a,2`: "a", `1, a ,2`: "a", `"1,2",a,3`: "a", `1,"a,b",3`: "a,b", `1`: "", `1,"a`: ""} {
		require.Equal(t, want, string(cellAt([]byte(row), 1)), row)
	}
	for line, want := range map[string]string{
		`m,host=a,device=b v=1`: "a", `m,x=1,device=b v=1`: "b", `m\,host=c,device=b v=",host=d"`: "b", `m v=1`: "", `m,device=a\,b,z=1 v=1`: `a\,b`, `m,`: "",
	} {
		require.Equal(t, want, string(deviceOfLine([]byte(line), []string{"host", "device"})), line)
	}
}

// FuzzRecords holds what is taken for one record of line protocol to what the parser takes for one.
func FuzzRecords(f *testing.F) {
	for _, s := range []string{
		"m,host=a v=1\nm,host=b s=\"x\ny\",t=2 5\r\n\n# note \"\n", "m\\ x,t=\"5 v=\"a\\\"b\" 1\nm v=1", "m v=\"\n\n\nm v=2", "m,a=1 b=\"=\"\nc d=1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		parser := lineprotocol.NewDecoderWithBytes(data)
		entries := 0
		for ; parser.Next(); entries++ {
			// Where text is broken, what belongs together is a matter of taste.
			for {
				key, _, err := parser.NextField()
				if err != nil {
					return
				}
				if key == nil {
					break
				}
			}
			if _, err := parser.TimeBytes(); err != nil {
				return
			}
		}
		s, err := syntaxOf(Lines, nil, nil)
		require.NoError(t, err)
		in := &records{in: bufio.NewReaderSize(bytes.NewReader(data), maxRecord), open: s.open, at: mark{Line: 1}}
		found := 0
		for {
			text, from, err := in.next()
			if err != nil {
				break
			}
			require.LessOrEqual(t, from.Offset, in.at.Offset)
			if !s.blank(text) {
				found++
			}
			s.device(text)
		}
		require.Equal(t, int64(len(data)), in.at.Offset)
		require.Equal(t, bytes.Count(data, []byte{'\n'})+1, in.at.Line-bytesEnd(data))
		require.Equal(t, entries, found)
	})
}

// bytesEnd is 1 for a text whose last line has no end: it counts, too.
func bytesEnd(data []byte) int {
	if len(data) > 0 && data[len(data)-1] != '\n' {
		return 1
	}
	return 0
}

func BenchmarkRecords(b *testing.B) {
	text := bytes.Repeat([]byte("cpu,cpu=cpu0,host=web-1 usage_idle=97.5,usage_user=1.25 1762128000000000000\n"), 10_000)
	s, err := syntaxOf(Lines, nil, []string{"host", "device"})
	require.NoError(b, err)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		in := &records{in: bufio.NewReaderSize(bytes.NewReader(text), maxRecord), open: s.open, at: mark{Line: 1}}
		for {
			text, _, err := in.next()
			if err != nil {
				break
			}
			s.device(text)
		}
	}
}
