package devices

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/series"
	"telltale/platform/fault"
)

func TestList_SearchFindsSubstringsOfIDAndName(t *testing.T) {
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

func TestList_AllTagsMustMatch(t *testing.T) {
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

func TestOnline_GoesByWhenReadingsArriveWhateverTheirTimesAre(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	now := time.UnixMilli(1_762_128_000_000).UTC()
	f.service.now = func() time.Time { return now }
	f.registry.UseClock(f.service.now)
	f.create(t, "never")
	last := map[string]time.Time{
		"edge": now.Add(-OnlineWindow), "gone": now.Add(-OnlineWindow - time.Millisecond), "ahead": now.Add(-time.Hour),
		"late": now.Add(-time.Minute), "soon": now.Add(time.Second), "two": now.Add(-2 * time.Minute),
	}
	f.arrive(t, last["edge"], "edge", "m", now, 1)
	f.arrive(t, last["gone"], "gone", "m", now, 1)
	f.arrive(t, last["ahead"], "ahead", "m", now.AddDate(1, 0, 0), 1)
	f.arrive(t, last["late"], "late", "m", now.AddDate(-9, 0, 0), 1)
	f.arrive(t, last["soon"], "soon", "m", now, 1)
	f.arrive(t, last["two"], "two", "a", now.Add(-time.Hour), 1)
	f.arrive(t, last["two"].Add(-time.Hour), "two", "b", now.Add(time.Hour), 2)
	last["soon"] = now // the database's clock is a little ahead

	api := f.as(t, admin)
	require.Equal(t, []string{"edge", "late", "soon", "two"}, api.ids("status=online"))
	require.Equal(t, []string{"ahead", "gone", "never"}, api.ids("status=offline"))
	for id, at := range last {
		device, err := f.service.Get(t.Context(), admin, id)
		require.NoError(t, err)
		require.Equal(t, at, *device.LastSeenAt, id)
		require.Equal(t, now.Sub(at) <= OnlineWindow, device.Online, id)
	}
}

// An older version took readings that are ahead of now for newest ones, and recorded no arrivals.
func TestOnline_KnowsDevicesThatAnOlderVersionHasSeen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := f.db.Exec(t.Context(), `
		INSERT INTO devices (id) VALUES ('ahead'), ('present'), ('gone');
		INSERT INTO series (device_id, metric, last_ts, last_value) VALUES
			('ahead', 'm', now() + interval '70 years', 1), ('present', 'm', now() - interval '1 minute', 2), ('gone', 'm', now() - interval '1 hour', 3)`)
	require.NoError(t, err)
	require.NoError(t, f.registry.Load(t.Context()))
	api := f.as(t, admin)
	require.Equal(t, []string{"present"}, api.ids("status=online"))
	require.Equal(t, []string{"ahead", "gone"}, api.ids("status=offline"))
	device, err := f.service.Get(t.Context(), admin, "ahead")
	require.NoError(t, err)
	require.Equal(t, []Metric{{Name: "m"}}, device.Metrics, "what it shows is not ahead of now")
	due := f.registry.TakeDue(10)
	require.Len(t, due, 1, "its newest reading is to be looked up")
}

func TestList_UnitsAndMetricsOfOtherInstancesAreSeen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	other := NewService(f.db, series.NewRegistry(f.db), rowDeleter{f.db})
	f.report(t, "a", "m", time.UnixMilli(1000), 7)
	_, err := other.Update(t.Context(), admin, "a", Patch{Units: map[string]string{"m": "V", "n": "A"}})
	require.NoError(t, err)
	device, err := f.service.Get(t.Context(), admin, "a")
	require.NoError(t, err)
	ts, value := int64(1000), 7.0
	require.Equal(t, []Metric{{"m", "V", &ts, &value}, {"n", "A", nil, nil}}, device.Metrics)
}

func TestList_PagesAreFullAlsoWhereMostDevicesAreFilteredOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := f.db.Exec(t.Context(), `INSERT INTO devices (id) SELECT 'd' || to_char(n, 'FM0000') FROM generate_series(0, 1999) AS n`)
	require.NoError(t, err)
	p := access.Principal{Scopes: []access.Scope{access.DevicesRead}, Devices: []string{"d??[0-4]0"}}
	page, err := f.service.List(t.Context(), p, Query{Limit: 60})
	require.NoError(t, err)
	require.Len(t, page.Devices, 60)
	require.Equal(t, "d1140", page.Next[:5])
	rest, err := f.service.List(t.Context(), p, Query{Limit: 60, After: page.Next})
	require.NoError(t, err)
	require.Len(t, rest.Devices, 40)
	require.Empty(t, rest.Next)
}

func TestList_PagingMeetsEveryLastingDeviceOnceWhileOthersComeAndGo(t *testing.T) {
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

func TestList_ConcurrentCreationHasOneWinner(t *testing.T) {
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

// reportMany makes a device that has as many metrics as given.
func (f *fixture) reportMany(t *testing.T, device string, metrics int) {
	_, err := f.db.Exec(t.Context(), `
		WITH device AS (INSERT INTO devices (id) VALUES ($1))
		INSERT INTO series (device_id, metric) SELECT $1, 'm' || to_char(n, 'FM00000') FROM generate_series(1, $2) AS n`, device, metrics)
	require.NoError(t, err)
}

func TestList_EndsAPageBeforeItHasTooManyMetrics(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	sizes := map[string]int{"a": 4000, "b": 6000, "c": 1, "d": 0, "e": maxMetrics + 7, "f": maxMetrics, "g": 0, "h": 2}
	for device, n := range sizes {
		f.reportMany(t, device, n)
	}
	require.NoError(t, f.registry.Load(t.Context()))
	var pages [][]string
	for query := (Query{Limit: 5}); ; {
		page, err := f.service.List(t.Context(), admin, query)
		require.NoError(t, err)
		pages = append(pages, idsOf(page))
		for _, device := range page.Devices {
			require.Len(t, device.Metrics, min(sizes[device.ID], maxMetrics), device.ID)
			require.Equal(t, max(0, sizes[device.ID]-maxMetrics), device.MetricsLeftOut, device.ID)
		}
		if page.Next == "" {
			break
		}
		query.After = page.Next
	}
	require.Equal(t, [][]string{{"a", "b"}, {"c", "d"}, {"e"}, {"f", "g"}, {"h"}}, pages)

	api := f.as(t, admin)
	require.Contains(t, api.get("/api/devices/e").body, `"metrics_left_out":7}`)
	require.NotContains(t, api.get("/api/devices/f").body, "left_out")
}

func TestList_TakesNoLongerThanAStatementMay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.reportMany(t, "a", 1)
	page := Query{Limit: 1, Search: "a"}
	hung := NewService(hanging{f.db}, f.registry, rowDeleter{f.db})
	_, err := hung.List(t.Context(), admin, page)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.ErrorContains(t, err, "the list took longer than")
	gone, leave := context.WithCancel(t.Context())
	leave()
	_, err = hung.List(gone, admin, page)
	require.ErrorIs(t, err, context.Canceled)
}

// hanging is a database whose statements end with their context, and whose limit is short.
type hanging struct{ database }

func (h hanging) Limit() time.Duration { return time.Millisecond }

func (h hanging) Query(ctx context.Context, _ string, _ ...any) (pgx.Rows, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
