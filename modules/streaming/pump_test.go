package streaming

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/streaming/event"
	"telltale/modules/streaming/filter"
	"telltale/modules/streaming/request"
	"telltale/modules/streaming/roster"
	"telltale/platform/postgres/pgtest"
)

// Whom a pump looks at is decided by topics, what each gets by its filter.
func TestPump_LooksAtThoseWhomAStepConcerns(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: an audience is not compared with a list through thousands of steps")
	}
	random := rand.New(rand.NewPCG(3, 4))
	names := []string{"a", "b", "c", "d", "e"}
	a := roster.NewAudience[*viewer]()
	var present []*viewer
	for range 2000 {
		if len(present) > 0 && random.IntN(2) == 0 {
			i := random.IntN(len(present))
			a.Remove(present[i])
			present = slices.Delete(present, i, i+1)
		} else {
			v := &viewer{settings: settings{request: &request.Request{}}}
			switch random.IntN(4) {
			case 0: // everything
			case 1:
				v.filter = filter.New(filter.Selection{Devices: []string{}}, nil, everyone)
			default:
				var wanted []string
				for range 1 + random.IntN(3) { // one of them perhaps twice
					wanted = append(wanted, names[random.IntN(len(names))])
				}
				v.filter = filter.New(filter.Selection{Devices: wanted}, nil, everyone)
			}
			a.Add(v, v.topics())
			present = append(present, v)
		}
		set := deviceSet{names[random.IntN(len(names))]: 0, names[random.IntN(len(names))]: 0}
		found := a.Concerned(nil, set)
		for _, v := range present {
			require.Equal(t, v.filter.Concerns(set), slices.Contains(found, v), "%q of %v", v.filter.Devices(), set)
		}
		require.ElementsMatch(t, present, a.Concerned(nil, nil))
	}
}

// While a pump is about to write a batch, a viewer that it has not come to yet may wake by itself, as for a heartbeat.
func TestViewer_ThatWakesWhileItsPumpWritesToOthersMissesNothing(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.post(t, datum{"a", "m", 1, 1})
	streams := map[*viewer]*stream{}
	for k := range 2 * len(i.hub.pumps) { // each pump gets two
		s := open(t, i.url("device=a"), "")
		for _, v := range i.parked(t, k+1) {
			if streams[v] == nil {
				streams[v] = s
			}
		}
	}
	i.served(t)
	p := i.hub.pumps[0]
	two := p.concerned(nil, deviceSet{"a": 0})
	require.Len(t, two, 2)
	two[0].mu.Lock()
	release := sync.OnceFunc(two[0].mu.Unlock)
	defer release()
	i.post(t, datum{"a", "m", 2, 2})
	require.Eventually(t, func() bool { return p.pos.Load() == 2 }, waiting, tick)
	two[1].mu.Lock()
	two[1].wake()
	two[1].mu.Unlock()
	require.Equal(t, "2:0", streams[two[1]].next().ID, "the pump waits for the other one")
	release()
	i.post(t, datum{"a", "m", 3, 3})
	for _, s := range streams {
		if s == streams[two[1]] {
			require.Equal(t, "3:0", s.next().ID, "nothing comes twice")
			continue
		}
		require.Equal(t, []string{"2:0", "3:0"}, s.ids(2))
	}
}

func TestViewer_ThatNothingConcernedKnowsHowFarItCameInALogThatWentBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	i := start(t, db)
	i.postMany(t, "a", 0, 5)
	s := open(t, i.url("device=x"), "")
	i.parked(t, 1)
	i.postMany(t, "a", 5, 5)
	i.served(t) // by pumps that do not look at the viewer
	_, err := db.Exec(t.Context(), `DELETE FROM reading_log WHERE seq > 4`)
	require.NoError(t, err)
	var data event.Gap
	require.NoError(t, json.Unmarshal([]byte(s.next().Data), &data))
	require.EqualValues(t, []int64{10, 4}, []int64{data.FromSeq, data.ToSeq})
	i.postMany(t, "x", 0, 1)
	require.Equal(t, "5:0", s.next().ID)
}
