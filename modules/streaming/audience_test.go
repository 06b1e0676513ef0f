package streaming

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

func TestAnAudienceKnowsWhomAStepConcerns(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	names := []string{"a", "b", "c", "d", "e"}
	a := audience{by: map[string][]*viewer{}}
	var present []*viewer
	for range 2000 {
		if len(present) > 0 && random.IntN(2) == 0 {
			i := random.IntN(len(present))
			a.remove(present[i])
			present = slices.Delete(present, i, i+1)
		} else {
			v := &viewer{request: &Request{}}
			switch random.IntN(4) {
			case 0: // everything
			case 1:
				v.filter.devices = []string{} // nothing
			default:
				for range 1 + random.IntN(3) { // one of them perhaps twice
					v.filter.devices = append(v.filter.devices, names[random.IntN(len(names))])
				}
			}
			a.add(v)
			present = append(present, v)
		}
		set := deviceSet{names[random.IntN(len(names))]: 0, names[random.IntN(len(names))]: 0}
		found := a.concerned(nil, set)
		for _, v := range present {
			require.Equal(t, v.filter.concerns(set), slices.Contains(found, v), "%q of %v", v.filter.devices, set)
		}
		require.ElementsMatch(t, present, a.concerned(nil, nil))
	}
	for _, v := range present {
		a.remove(v)
	}
	require.Empty(t, a.by, "nothing is kept of those who have left")
}

// While a pump is about to write a batch, a viewer that it has not come to yet may wake by itself, as for a heartbeat.
func TestAViewerThatWakesWhileItsPumpWritesToOthersMissesNothing(t *testing.T) {
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

func TestAViewerThatNothingConcernedKnowsHowFarItCameInALogThatWentBack(t *testing.T) {
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
	var data gap
	require.NoError(t, json.Unmarshal([]byte(s.next().Data), &data))
	require.EqualValues(t, []int64{10, 4}, []int64{data.FromSeq, data.ToSeq})
	i.postMany(t, "x", 0, 1)
	require.Equal(t, "5:0", s.next().ID)
}
