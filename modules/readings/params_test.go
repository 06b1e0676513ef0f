package readings_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/modules/readings/instant"
	"telltale/modules/readings/timeparam"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/history"
	"telltale/platform/fault"
)

var paramsNow = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func parseText(t *testing.T, text string) (history.Query, error) {
	t.Helper()
	values, err := url.ParseQuery(text)
	require.NoError(t, err)
	return history.ParseQuery(values, paramsNow)
}

func TestTimes_OfQueriesAreReadAsIngestReadsThem(t *testing.T) {
	t.Parallel()
	const want = 1_793_491_200_123
	for _, text := range []string{
		"1793491200123", "2026-11-01T00:00:00.123Z", "2026-11-01t00:00:00.123z", "2026-11-01 00:00:00.123Z", "2026-11-01+00:00:00.123Z",
		"2026-11-01T01:00:00.123%2B01:00", "2026-11-01T01:00:00.123+01:00", "2026-11-01 01:00:00.123+01:00", "2026-10-31T23:30:00.1239999-00:30",
	} {
		q, err := parseText(t, "from="+text)
		require.NoError(t, err, text)
		require.EqualValues(t, want, q.From, text)
		q, err = parseText(t, "from=0&to="+text)
		require.NoError(t, err, text)
		require.EqualValues(t, want, q.To, text)
		plain, err := url.QueryUnescape(text)
		require.NoError(t, err)
		if ts, _, ok := instant.Parse(plain); ok {
			require.EqualValues(t, want, ts)
		}
		at, err := timeparam.Parse(plain, paramsNow)
		require.NoError(t, err)
		require.EqualValues(t, want, at)
	}
	for _, text := range []string{
		"2026-11-01", "2026-11-01T00:00:00", "1793491200.5", "1.793e12", "0x1", "yesterday", "%2B1h", "-1", "-1y", "2026-02-30T00:00:00Z", " ", "-",
		"9223372036854775808", "-99999999w", "+100y", "2026-11-01T00:00:60Z",
	} {
		for _, end := range []string{"from", "to"} {
			_, err := parseText(t, end+"="+text)
			require.Equal(t, fault.Invalid, fault.KindOf(err), "%s=%s", end, text)
			require.Equal(t, end, fault.As(err).Fields[0].Name)
		}
	}
}

func TestTimes_InSecondsAreRefusedInQueries(t *testing.T) {
	t.Parallel()
	for text, wrong := range map[string]string{
		"from=1764547200&to=now":                                   "from",
		"from=1764547200000&to=1764550800":                         "to",
		"from=0&to=1764550800":                                     "to",
		"from=1764547200&to=1764550800":                            "from to",
		"to=1764550800":                                            "to",
		"from=1764547200000000":                                    "from",
		"from=1764547200000000000&to=now":                          "from",
		"from=0&to=1970-06-01T00:00:00Z":                           "to",
		"from=1":                                                   "from",
		"from=0":                                                   "",
		"from=0&to=1971-01-01T00:00:00Z":                           "",
		"from=1970-06-01T00:00:00Z&to=now":                         "",
		"from=31536000000":                                         "",
		"to=7258118400000":                                         "",
		"from=1764547200000&to=1764550800000":                      "",
		"from=2026-11-01T00:00:00Z&to=2026-11-01T00:00:00.001Z":    "",
		"from=2026-11-01T00:00:00Z&to=2026-11-01T00:00:00.000Z":    "from",
		"from=2026-11-01T00:00:01Z&to=2026-11-01T00:00:00.000Z":    "from",
		"from=-52w&to=-26w":                                        "",
		"from=now&to=-1s":                                          "from",
		"limit=0":                                                  "limit",
		"limit=9223372036854775808":                                "limit",
		"max_points=-3":                                            "max_points",
		"interval=-1h":                                             "interval",
		"interval=0s":                                              "interval",
		"interval=18446744073709551616s":                           "interval",
		"interval=4294967295w":                                     "interval",
		"interval=1h&agg=avg,avg,mean":                             "agg",
		"interval=1h&limit=1&cursor=after:a,m,-9e18":               "cursor",
		"interval=1h&limit=1&cursor=after:a,m,9223372036854775807": "cursor",
	} {
		_, err := parseText(t, text)
		if wrong == "" {
			require.NoError(t, err, text)
			continue
		}
		require.Equal(t, fault.Invalid, fault.KindOf(err), text)
		var named []string
		for _, field := range fault.As(err).Fields {
			named = append(named, field.Name)
		}
		slices.Sort(named)
		require.Equal(t, strings.Fields(wrong), slices.Compact(named), text)
	}
	_, err := parseText(t, "from=1764547200&to=1764550800")
	for _, field := range fault.As(err).Fields {
		require.Contains(t, field.Reason, "looks like seconds")
	}
}

func TestZones_BesideTheDatabaseAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"localtime", "Local", "local", "right/Europe/Berlin", "posix/Europe/Berlin", "right/UTC", "posix/UTC", "Factory", "posixrules",
		"Right/UTC", "LOCALTIME", "Europe//Berlin", "./Europe/Berlin", "Europe/./Berlin", "Europe/../UTC", "/usr/share/zoneinfo/UTC",
		"Europe/Berlin/", "Europe", "tzdata.zi", "zone.tab", "+02:00", "%2B02:00", "UTC%2B2", "CET-1CEST", "Europe/Berlin%00", "Mars/Olympus",
	} {
		_, err := parseText(t, "interval=1d&tz="+name)
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
		require.Equal(t, "tz", fault.As(err).Fields[0].Name)
	}
}

func TestPaging_GoesOnFromABucketBeforeTheEpoch(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.Post(t, `{"readings":[{"device":"p","ts":777600000,"values":{"t":1}},{"device":"p","ts":1793491200000,"values":{"t":2}}]}`)
	for query, first := range map[string]string{
		"interval=1mo&tz=Europe/Berlin":       "1969-12-31T23:00:00.000Z",
		"interval=1y&tz=Europe/Berlin":        "1969-12-31T23:00:00.000Z",
		"interval=2w":                         "1969-12-29T00:00:00.000Z",
		"interval=52w&tz=Pacific/Kiritimati":  "1969-12-29T10:40:00.000Z",
		"interval=1y&tz=Asia/Tokyo&fill=null": "1969-12-31T15:00:00.000Z",
		"interval=366d&tz=Asia/Tokyo":         "1969-12-31T15:00:00.000Z",
	} {
		path := "/api/readings?device=p&from=0&format=csv&limit=1&to=2026-12-01T00:00:00Z&" + query
		_, _, text := a.call(t, "GET", path, "", nil)
		require.Contains(t, text, "p,t,"+first, query)
		status, _, text := a.call(t, "GET", path+"&cursor=after:p,t,"+first, "", nil)
		require.Equal(t, 200, status, "%s: %s", query, text)
		require.Contains(t, text, "p,t,")
		require.NotContains(t, text, first)
	}
}
