package devices

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth"
)

func TestSearchFindsSubstringsOfIDAndName(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for id, name := range map[string]string{
		"greenhouse-1": "North wing", "greenhouse-2": "Südflügel", "pump_1": "100% duty", "pumpX1": "back\\slash", "ÄRGER": "",
	} {
		_, err := f.service.Create(t.Context(), admin, Draft{ID: id, Name: name})
		require.NoError(t, err)
	}
	for search, ids := range map[string][]string{
		"":         {"greenhouse-1", "greenhouse-2", "pumpX1", "pump_1", "ÄRGER"},
		"HOUSE":    {"greenhouse-1", "greenhouse-2"},
		"north w":  {"greenhouse-1"},
		"_":        {"pump_1"},
		"%":        {"pump_1"},
		`\`:        {"pumpX1"},
		`\s`:       {"pumpX1"},
		"SÜDFLÜ":   {"greenhouse-2"},
		"südFLÜgE": {"greenhouse-2"},
		"süddfl":   {},
		"sédfl":    {},
		"ärger":    {"ÄRGER"},
		"nothing":  {},
	} {
		page, err := f.service.List(t.Context(), admin, Query{Search: search, Limit: 10})
		require.NoError(t, err)
		require.ElementsMatch(t, ids, idsOf(page), search)
	}
}

func TestAllTagsMustMatch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for id, tags := range map[string][]string{"a": {"x"}, "b": {"x", "y"}, "c": {"y", "x", "z"}, "d": nil} {
		_, err := f.service.Create(t.Context(), admin, Draft{ID: id, Tags: tags})
		require.NoError(t, err)
	}
	api := f.as(t, admin)
	require.Equal(t, []string{"a", "b", "c", "d"}, api.ids(""))
	require.Equal(t, []string{"a", "b", "c"}, api.ids("tag=x"))
	require.Equal(t, []string{"b", "c"}, api.ids("tag=x&tag=y&tag=x"))
	require.Equal(t, []string{"c"}, api.ids("tag=z&tag=y"))
	require.Empty(t, api.ids("tag=x&tag=X"))
}

func TestADeviceIsOnlineForFiveMinutesAfterItsNewestReading(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	now := time.UnixMilli(1_762_128_000_000).UTC()
	f.service.now = func() time.Time { return now }
	f.create(t, "never")
	f.report(t, "edge", "m", now.Add(-OnlineWindow), 1)
	f.report(t, "gone", "m", now.Add(-OnlineWindow-time.Millisecond), 1)
	f.report(t, "ahead", "m", now.Add(time.Hour), 1)
	f.report(t, "two", "a", now.Add(-time.Hour), 1)
	f.report(t, "two", "b", now.Add(-time.Minute), 2)

	api := f.as(t, admin)
	require.Equal(t, []string{"ahead", "edge", "two"}, api.ids("status=online"))
	require.Equal(t, []string{"gone", "never"}, api.ids("status=offline&limit=1"))
	for id, seen := range map[string]time.Time{"ahead": now, "edge": now.Add(-OnlineWindow), "two": now.Add(-time.Minute)} {
		device, err := f.service.Get(t.Context(), admin, id)
		require.NoError(t, err)
		require.Equal(t, seen, *device.LastSeenAt)
		require.True(t, device.Online)
	}
}

func TestUnitsAndMetricsOfOtherInstancesAreSeen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	other := NewService(f.db, NewRegistry(f.db), rowDropper{f.db})
	f.report(t, "a", "m", time.UnixMilli(1000), 7)
	_, err := other.Update(t.Context(), admin, "a", Patch{Units: map[string]string{"m": "V", "n": "A"}})
	require.NoError(t, err)
	device, err := f.service.Get(t.Context(), admin, "a")
	require.NoError(t, err)
	ts, value := int64(1000), 7.0
	require.Equal(t, []Metric{{"m", "V", &ts, &value}, {"n", "A", nil, nil}}, device.Metrics)
}

func TestPagesAreFullAlsoWhereMostDevicesAreFilteredOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := f.db.Exec(t.Context(), `INSERT INTO devices (id) SELECT 'd' || to_char(n, 'FM0000') FROM generate_series(0, 1999) AS n`)
	require.NoError(t, err)
	p := auth.Principal{Scopes: []auth.Scope{auth.DevicesRead}, Devices: []string{"d??[0-4]0"}}
	page, err := f.service.List(t.Context(), p, Query{Limit: 60})
	require.NoError(t, err)
	require.Len(t, page.Devices, 60)
	require.Equal(t, "d1140", page.Next[:5])
	rest, err := f.service.List(t.Context(), p, Query{Limit: 60, After: page.Next})
	require.NoError(t, err)
	require.Len(t, rest.Devices, 40)
	require.Empty(t, rest.Next)
}

func TestPagingMeetsEveryLastingDeviceOnceWhileOthersComeAndGo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var lasting []string
	for n := range 60 {
		lasting = append(lasting, fmt.Sprintf("lasting-%02d", n))
	}
	f.create(t, lasting...)
	var churn sync.WaitGroup
	stop := make(chan struct{})
	for worker := range 3 {
		churn.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("lasting-%02d-%d", n*7%60, worker)
				if _, err := f.service.Create(t.Context(), admin, Draft{ID: id}); err == nil && n%2 == 0 {
					_ = f.service.Delete(t.Context(), admin, id)
				}
			}
		})
	}
	api := f.as(t, limitedTo("lasting-*"))
	for range 5 {
		all := api.ids("limit=7")
		require.True(t, slices.IsSorted(all))
		require.Len(t, slices.Compact(slices.Clone(all)), len(all), "none twice")
		for _, id := range lasting {
			require.Contains(t, all, id)
		}
	}
	close(stop)
	churn.Wait()
}

func TestConcurrentCreationHasOneWinner(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	results := make([]error, 8)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() {
			_, results[i] = f.service.Create(t.Context(), admin, Draft{ID: "a", Units: map[string]string{"m": "V", "n": "A"}})
		})
	}
	group.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
			continue
		}
		require.ErrorContains(t, err, `there is a device "a" already`)
	}
	require.Equal(t, 1, won)
}

func idsOf(page Page) []string {
	ids := []string{}
	for _, device := range page.Devices {
		ids = append(ids, device.ID)
	}
	return ids
}
