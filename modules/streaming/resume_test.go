package streaming

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/streaming/event"
	"telltale/platform/postgres/pgtest"
)

// What EventSources, their stand-ins on npm and pages put into a URL, and where the client of each was.
func TestResume_UnderstandsWhatStandInsForEventSourceSend(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.postMany(t, "a", 0, 5)
	ids := append([]string{""}, open(t, i.url("since=0"), "").ids(5)...)
	second, third := "="+url.QueryEscape(ids[2]), "="+url.QueryEscape(ids[3])
	for query, c := range map[string]struct{ header, next string }{
		"lastEventId" + third:                                           {"", ids[4]},
		"lastEventId" + third + "&padding=true":                         {"", ids[4]},
		"Last-Event-ID" + third:                                         {"", ids[4]},
		"last-event-id" + third:                                         {"", ids[4]},
		"last_event_id" + third:                                         {"", ids[4]},
		"lastEventID" + third:                                           {"", ids[4]},
		"LASTEVENTID" + third:                                           {"", ids[4]},
		"evs_last_event_id" + third + "&evs_preamble=1&r=0.12":          {"", ids[4]},
		"last_event_id" + third + "&last_event_id" + third:              {"", ids[4]},
		"last_event_id=&last_event_id" + third:                          {"", ids[4]},
		"last_event_id" + second + "&last_event_id" + third:             {"", ids[4]},
		"last_event_id" + third + "&lastEventId" + second:               {"", ids[4]},
		"lastEventId" + second + "&since=0":                             {"", ids[3]},
		"lastEventId" + second + "&_=1762128000000&nocache=x&cors=true": {ids[3], ids[4]},
		"lastEventId=nonsense":                                          {ids[3], ids[4]},
		"lastEventId=nonsense&last_event_id" + third:                    {"", ids[4]},
		"last_event_id=&since=0&t=5&cb=7":                               {"", ids[1]},
		"R=1&last_event_id=&since=0":                                    {" ", ids[1]},
	} {
		require.Equal(t, c.next, open(t, i.url(query), c.header).next().ID, "%s %s", query, c.header)
	}
}

// A position that cannot be read is no fault of the request: a refusal would end an EventSource for good.
func TestResume_TellsOfAPlaceThatCannotBeReadByAGap(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.postMany(t, "a", 0, 3)
	positions := []string{
		"nonsense", "1:", ":1", "-1", "+1", "1.5", "1:2:3", "0x1", "1:16777216", "99999999999999999999", "1@", "@1", "null", "undefined", "NaN",
		"[object Object]", "1 2", "7:0,8:0", "2026-11-01T00:00:00Z", "1@9007199254740992",
	}
	streams := map[string]*stream{}
	for _, position := range positions {
		streams["header "+position] = open(t, i.url(""), position)
		streams["query "+position] = open(t, i.url("lastEventId="+url.QueryEscape(position)), "")
		streams["buckets "+position] = open(t, i.url("interval=1s&last_event_id="+url.QueryEscape(position)), "")
		streams["body "+position] = i.submit(t, "application/json", fmt.Sprintf(`{"last_event_id":%q,"every":"1s"}`, position))
		streams["snapshot "+position] = open(t, i.url("snapshot=true"), position)
	}
	for name, s := range streams {
		m := s.next()
		require.Equal(t, "gap", m.Event, name)
		var data event.Gap
		require.NoError(t, json.Unmarshal([]byte(m.Data), &data), name)
		require.Equal(t, "unknown", data.Reason, name)
		require.Nil(t, data.From, name)
		require.NotEmpty(t, m.ID, "%s: the client resumes there", name)
	}
	i.postMany(t, "a", 3, 1)
	for name, s := range streams {
		if name[0] == 'h' || name[0] == 'q' {
			require.Equal(t, []string{"amap[m:3]"}, values(s.read(1)), name)
		}
	}
	require.EqualValues(t, len(streams), i.counted(t, "telltale_stream_gaps_total"))
}

func TestResume_TakesCacheBustersInURLsOfStreamsOnly(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	for _, name := range []string{"_", "r", "t", "cb", "rnd", "random", "nocache", "no_cache", "cache", "cors", "padding", "evs_preamble"} {
		require.Equal(t, 200, connect(t, i.url(name+"=1"), "").response.StatusCode, name)
		require.Equal(t, 422, i.submit(t, "application/json", fmt.Sprintf(`{%q:"1"}`, name)).response.StatusCode, name)
	}
	require.Equal(t, 422, connect(t, i.url("rr=1"), "").response.StatusCode)
}
