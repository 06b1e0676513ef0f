package streaming

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// tag makes a device with tags, or gives them to one that exists, as another instance would.
func (i *instance) tag(t *testing.T, device string, tags ...string) {
	t.Helper()
	_, err := i.DB.Exec(t.Context(), `INSERT INTO devices (id, tags) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET tags = $2`, device, append([]string{}, tags...))
	require.NoError(t, err)
}

func TestFilter_NewDevicesThatMatchAPatternJoinARunningStream(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	s := open(t, i.url("device=lab-*&device=x&device=h%5Bab%5D"), "")
	i.post(t, datum{"lab-1", "m", 1, 1}, datum{"y", "m", 1, 2}, datum{"x", "m", 1, 3}, datum{"hb", "m", 1, 4}, datum{"hc", "m", 1, 5})
	require.Equal(t, []string{"1:0", "1:2", "1:3"}, s.ids(3))
	i.post(t, datum{"lab-new", "m", 2, 1}, datum{"lab", "m", 2, 1})
	i.post(t, datum{"x", "m", 3, 1})
	require.Equal(t, []string{"2:0", "3:0"}, s.ids(2))
}

func TestFilter_PatternsAndTagsAreNarrowedByTheToken(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.principal.Devices = []string{"lab-1", "lab-2*"} })
	for _, device := range []string{"lab-1", "lab-2", "lab-3"} {
		i.tag(t, device, "hot")
	}
	for _, query := range []string{"device=lab-*", "tag=hot", "device=*&tag=hot"} {
		s, snapshot := open(t, i.url(query), ""), open(t, i.url("snapshot=true&"+query), "")
		i.post(t, datum{"lab-3", "m", 1, 1}, datum{"lab-1", "m", 1, 2}, datum{"lab-2", "m", 1, 3}, datum{"lab-22", "n", 2, 1})
		i.post(t, datum{"lab-1", "m", 5, 1})
		want := []string{"lab-1", "lab-2", "lab-22", "lab-1"}
		if query != "device=lab-*" {
			want = []string{"lab-1", "lab-2", "lab-1"}
		}
		var got []string
		for _, r := range s.read(len(want)) {
			got = append(got, r.Device)
		}
		require.Equal(t, want, got, query)
		for m := snapshot.next(); m.Event == "snapshot"; m = snapshot.next() {
			require.NotContains(t, m.Data, "lab-3", query)
		}
		s.close()
		snapshot.close()
	}
}

func TestFilter_TagsAreWhatTheyAreNow(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.tag(t, "a", "hot", "wet")
	i.tag(t, "b", "hot")
	both, hot := open(t, i.url("tag=hot&tag=wet"), ""), open(t, i.url("tag=hot&metric=m"), "")
	i.post(t, datum{"a", "m", 1, 1}, datum{"b", "m", 1, 2}, datum{"c", "m", 1, 3})
	require.Equal(t, "1:0", both.next().ID)
	require.Equal(t, []string{"1:0", "1:1"}, hot.ids(2))

	i.tag(t, "new", "wet", "hot") // and posts at once
	i.post(t, datum{"new", "m", 2, 1})
	require.Equal(t, "2:0", both.next().ID)
	require.Equal(t, "2:0", hot.next().ID)

	i.tag(t, "b", "hot", "wet")
	i.tag(t, "a")
	require.NoError(t, i.hub.tagSets.Refresh(t.Context()))
	i.post(t, datum{"a", "m", 3, 1}, datum{"b", "m", 3, 1})
	require.Equal(t, "3:1", both.next().ID)
	require.Equal(t, "3:1", hot.next().ID)
	both.close()
	hot.close()
	require.Eventually(t, func() bool { return !i.followsTags(t) }, waiting, tick, "tags that no viewer filters by are not looked up")
}
