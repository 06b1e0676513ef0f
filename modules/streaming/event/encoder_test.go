package event

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/modules/streaming/filter"
)

// fakeNames is a registry of devices d0, d1, … with ten metrics each; gone are the series that do not exist any more.
type fakeNames struct{ gone map[int32]bool }

func (n fakeNames) ByID(id int32) (series.Series, bool) {
	return series.Series{ID: id, Device: fmt.Sprint("d", id/10), Metric: fmt.Sprint("m", id%10)}, !n.gone[id]
}

var everyone = access.Principal{Subject: "test", Scopes: []access.Scope{access.Admin}}

func newCache(names names) *Cache { return NewCache(names, 16<<20) }

// randomBatch has runs of the same device and instant, some of them long.
func randomBatch(random *rand.Rand, n int) *batchlog.Batch {
	b := &batchlog.Batch{Seq: 1 + random.Int64N(1000)}
	b.CommittedAt = time.UnixMicro(b.Seq)
	for len(b.Series) < n {
		device, ts := random.Int32N(4), random.Int64N(3)
		run := 1 + random.IntN(12)
		if random.IntN(40) == 0 {
			run = random.IntN(2 * partReadings)
		}
		for range run {
			b.Series = append(b.Series, device*10+random.Int32N(10))
			b.TS = append(b.TS, ts)
			b.Value = append(b.Value, random.Float64())
		}
	}
	return b
}

// eventsFrom returns the ids and texts of all events from a reading on, part by part.
func eventsFrom(s *Cache, b *batchlog.Batch, from int32) []string {
	texts := []string{}
	pos := Position{Stamp: b.Seq - 1, Next: from}
	everything := filter.Filter{}
	for pos.Stamp < b.Seq && int(pos.Next) < b.Len() {
		t := NewBuffer(1 << 30)
		pos = t.Take(&everything, s.Covering(b, pos.Next), pos)
		start := 0
		for _, end := range t.ends {
			texts = append(texts, string(t.text[start:end.at]))
			start = end.at
		}
	}
	return texts
}

func TestCache_HasTheSameEventsWhereverAViewerBegins(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		b := randomBatch(random, random.IntN(5*partReadings))
		whole := eventsFrom(newCache(fakeNames{}), b, 0)
		shared := newCache(fakeNames{})
		for range 5 {
			from := random.Int32N(int32(b.Len()) + 1)
			fresh, cached := eventsFrom(newCache(fakeNames{}), b, from), eventsFrom(shared, b, from)
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
type brokenNames struct{ fakeNames }

func (n brokenNames) ByID(id int32) (series.Series, bool) {
	if id == 99 {
		panic("asked about series 99")
	}
	return n.fakeNames.ByID(id)
}

func TestEncoder_LeavesNothingOfAPartThatFailedInTheNext(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	b, broken := randomBatch(random, 30), randomBatch(random, 20)
	broken.Series[15] = 99
	want := string(encode(b, 0, fakeNames{}).text)
	for range 20 {
		require.Panics(t, func() { encode(broken, 0, brokenNames{}) })
		require.Equal(t, want, string(encode(b, 0, fakeNames{}).text))
	}
}

func TestCache_KeepsTheEventsOfOtherDevicesWhenADeviceIsDeleted(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 12 {
		b := randomBatch(random, random.IntN(5*partReadings))
		kept := newCache(fakeNames{})
		before := eventsFrom(kept, b, 0)
		gone := fakeNames{map[int32]bool{}}
		for id := range int32(10) {
			gone.gone[10+id] = true
		}
		want := slices.DeleteFunc(slices.Clone(before), func(text string) bool { return strings.Contains(text, `"d1"`) })
		require.Equal(t, want, eventsFrom(newCache(gone), b, 0))

		// A viewer under way sees the others once, whichever parts were encoded before.
		from := random.Int32N(int32(b.Len()) + 1)
		fresh := eventsFrom(newCache(gone), b, from)
		kept.names = gone
		rest := slices.DeleteFunc(eventsFrom(kept, b, from), func(text string) bool { return strings.Contains(text, `"d1"`) })
		require.Equal(t, fresh, rest)
	}
}

func TestBuffer_GoesOnWithTheRestOfAWriteCutAnywhere(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	b := randomBatch(random, 30)
	s := newCache(fakeNames{})
	for _, wanted := range []filter.Selection{{}, {Metrics: []string{"m1", "m2", "m3"}}, {Devices: []string{"d1", "d2"}}} {
		f := filter.New(wanted, nil, everyone)
		whole := NewBuffer(1 << 30)
		from := Position{Stamp: b.Seq - 1}
		end := whole.Take(&f, s.Covering(b, 0), from)
		whole.To = end
		for n := 1; n <= len(whole.text); n++ {
			w := whole.Written(n)
			again := NewBuffer(1 << 30)
			require.Equal(t, end, again.Take(&f, s.Covering(b, 0), w.At))
			require.Equal(t, string(whole.text), string(whole.text[:n])+string(w.Rest)+string(again.text))
			require.Equal(t, len(whole.ends), w.Events+len(again.ends))
		}
	}
}

func TestBuffer_TakesTheSameForFewDevicesAsForMany(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: random batches are not written through filters of both kinds")
	}
	random := rand.New(rand.NewPCG(3, 4))
	many := make([]string, 20) // words that no batch has; not few
	for i := range many {
		many[i] = fmt.Sprint("absent-", i)
	}
	for range 50 {
		b := randomBatch(random, 1+random.IntN(3*partReadings))
		wanted := filter.Selection{Devices: []string{"d2", "nobody", "d0", "d2"}[:1+random.IntN(4)]}
		if random.IntN(2) == 0 {
			wanted.Metrics = []string{"m3", "m7"}
		}
		few := filter.New(wanted, nil, everyone)
		wanted.Devices = append(slices.Clone(wanted.Devices), many...)
		long := filter.New(wanted, nil, everyone)
		require.True(t, few.Few())
		require.False(t, long.Few())
		s, from := newCache(fakeNames{}), random.Int32N(100)
		take := func(f *filter.Filter, limit int) (text string, ids []Position) {
			for pos := (Position{Stamp: b.Seq - 1, Next: min(from, int32(b.Len())-1)}); pos.Before(Position{Stamp: b.Seq}); {
				buffer := NewBuffer(limit)
				pos = buffer.Take(f, s.Covering(b, pos.Next), pos)
				text += string(buffer.text)
				for _, end := range buffer.ends {
					ids = append(ids, end.after)
				}
			}
			return text, ids
		}
		text, ids := take(&few, 1+random.IntN(2000))
		want, wantIDs := take(&long, 1<<30)
		require.Equal(t, want, text)
		require.Equal(t, wantIDs, ids)
	}
}
