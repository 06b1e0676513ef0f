package streaming

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/devices"
	"telltale/modules/readings"
)

// names is a registry of devices d0, d1, … with ten metrics each; gone are the series that do not exist any more.
type names struct{ gone map[int32]bool }

func (n names) ByID(id int32) (devices.Series, bool) {
	return devices.Series{ID: id, Device: fmt.Sprint("d", id/10), Metric: fmt.Sprint("m", id%10)}, !n.gone[id]
}

// randomBatch has runs of the same device and instant, some of them long.
func randomBatch(random *rand.Rand, n int) *readings.Batch {
	b := &readings.Batch{Seq: 1 + random.Int64N(1000)}
	for len(b.Series) < n {
		device, ts := random.Int32N(4), random.Int64N(3)
		run := 1 + random.IntN(12)
		if random.IntN(40) == 0 {
			run = random.IntN(2 * sheetReadings)
		}
		for range run {
			b.Series = append(b.Series, device*10+random.Int32N(10))
			b.TS = append(b.TS, ts)
			b.Value = append(b.Value, random.Float64())
		}
	}
	return b
}

// eventsFrom returns the ids and texts of all events from a reading on, sheet by sheet.
func eventsFrom(s *sheets, b *readings.Batch, from int32) []string {
	texts := []string{}
	pos := Position{Seq: b.Seq - 1, Next: from}
	everything := filter{}
	for pos.Seq < b.Seq && int(pos.Next) < b.Len() {
		t := &tray{limit: 1 << 30}
		pos = everything.take(t, s.covering(b, pos.Next), pos)
		start := 0
		for _, stop := range t.stops {
			texts = append(texts, string(t.text[start:stop.end]))
			start = stop.end
		}
	}
	return texts
}

func TestEventsDoNotDependOnWhereAViewerBegins(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		b := randomBatch(random, random.IntN(5*sheetReadings))
		whole := eventsFrom(newSheets(names{}), b, 0)
		shared := newSheets(names{})
		for range 5 {
			from := random.Int32N(int32(b.Len()) + 1)
			fresh, cached := eventsFrom(newSheets(names{}), b, from), eventsFrom(shared, b, from)
			require.Equal(t, fresh, cached)
			require.Equal(t, whole[len(whole)-len(fresh):], fresh)
		}
		total := 0
		for _, text := range whole {
			total += strings.Count(text, `"m`)
			require.Equal(t, 1, strings.Count(text, "id: "))
		}
		require.Equal(t, b.Len(), total)
	}
}

// brokenNames panics when it is asked about series 99.
type brokenNames struct{ names }

func (n brokenNames) ByID(id int32) (devices.Series, bool) {
	if id == 99 {
		panic("asked about series 99")
	}
	return n.names.ByID(id)
}

func TestNothingOfASheetThatCameToNothingIsInTheNext(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	b, broken := randomBatch(random, 30), randomBatch(random, 20)
	broken.Series[15] = 99
	want := string(newSheet(b, 0, names{}).text)
	for range 20 {
		require.Panics(t, func() { newSheet(broken, 0, brokenNames{}) })
		require.Equal(t, want, string(newSheet(b, 0, names{}).text))
	}
}

func TestEventsOfOtherDevicesStayWhenADeviceIsDeleted(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 12 {
		b := randomBatch(random, random.IntN(5*sheetReadings))
		kept := newSheets(names{})
		before := eventsFrom(kept, b, 0)
		gone := names{map[int32]bool{}}
		for id := range int32(10) {
			gone.gone[10+id] = true
		}
		want := slices.DeleteFunc(slices.Clone(before), func(text string) bool { return strings.Contains(text, `"d1"`) })
		require.Equal(t, want, eventsFrom(newSheets(gone), b, 0))

		// A viewer under way sees the others once, whichever sheets were made before.
		from := random.Int32N(int32(b.Len()) + 1)
		fresh := eventsFrom(newSheets(gone), b, from)
		kept.names = gone
		rest := slices.DeleteFunc(eventsFrom(kept, b, from), func(text string) bool { return strings.Contains(text, `"d1"`) })
		require.Equal(t, fresh, rest)
	}
}

func TestAWriteCutAnywhereGoesOnWithTheRest(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	b := randomBatch(random, 30)
	s := newSheets(names{})
	for _, f := range []filter{{}, {metrics: []string{"m1", "m2", "m3"}}, {devices: []string{"d1", "d2"}}} {
		whole := &tray{limit: 1 << 30}
		from := Position{Seq: b.Seq - 1}
		end := f.take(whole, s.covering(b, 0), from)
		whole.to = end
		for n := 1; n <= len(whole.text); n++ {
			events, at, rest := whole.written(n)
			again := &tray{limit: 1 << 30}
			require.Equal(t, end, f.take(again, s.covering(b, 0), at))
			require.Equal(t, string(whole.text), string(whole.text[:n])+string(rest)+string(again.text))
			require.Equal(t, len(whole.stops), events+len(again.stops))
		}
	}
}

func TestTheCacheKeepsToItsBudgetAndToWhatWasUsedLast(t *testing.T) {
	t.Parallel()
	l := newLRU[int, int](10)
	for k := range 5 {
		require.Equal(t, k, l.get(k, 3, func() int { return k }))
		_, ok := l.find(0) // keeps it fresh
		require.True(t, ok)
	}
	for k, want := range []bool{true, false, false, true, true} {
		_, ok := l.find(k)
		require.Equal(t, want, ok, k)
	}
	l.weigh(4, 100)
	_, ok := l.find(4)
	require.True(t, ok, "the newest stays however large it is")
	l.clear()
	_, ok = l.find(4)
	require.False(t, ok)
}

func TestAFilterOfFewDevicesTakesWhatOneOfManyDoes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	many := make([]string, soughtDevices) // words that no batch has
	for i := range many {
		many[i] = fmt.Sprint("absent-", i)
	}
	for range 50 {
		b := randomBatch(random, 1+random.IntN(3*sheetReadings))
		few := filter{devices: []string{"d2", "nobody", "d0", "d2"}[:1+random.IntN(4)]}
		if random.IntN(2) == 0 {
			few.metrics = []string{"m3", "m7"}
		}
		long := newFilter(Selection{Devices: append(slices.Clone(few.devices), many...)}, nil, everyone)
		if few.metrics != nil {
			long.metrics = devices.NewNames(append(slices.Clone(few.metrics), many...))
		}
		s, from := newSheets(names{}), random.Int32N(100)
		take := func(f *filter, limit int) (text string, stops []Position) {
			for pos := (Position{Seq: b.Seq - 1, Next: min(from, int32(b.Len())-1)}); pos.before(Position{Seq: b.Seq}); {
				tray := &tray{limit: limit}
				pos = f.take(tray, s.covering(b, pos.Next), pos)
				text += string(tray.text)
				for _, stop := range tray.stops {
					stops = append(stops, stop.after)
				}
			}
			return text, stops
		}
		text, stops := take(&few, 1+random.IntN(2000))
		want, places := take(&long, 1<<30)
		require.Equal(t, want, text)
		require.Equal(t, places, stops)
	}
}
