package event

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/deletion"
	"telltale/modules/series"
)

// devicesByID names series by their id alone.
type devicesByID map[int32]string

func (d devicesByID) ByID(id int32) (series.Series, bool) {
	device, ok := d[id]
	return series.Series{ID: id, Device: device, Metric: "m"}, ok
}

// However many parts and deletions a step has, the devices of all of them are named: viewers of their buckets look at the step.
func TestStep_NamesTheDevicesOfEveryDeletion(t *testing.T) {
	t.Parallel()
	names := devicesByID{1: "a", 2: "b", 3: "c"}
	deleted := func(ids ...int32) *batchlog.Batch { return &batchlog.Batch{Deletion: &deletion.Marker{Series: ids}} }
	for parts := range 3 {
		var s Step
		want := []string{"a", "b", "c"}
		for i := range parts {
			s.Parts = append(s.Parts, &Encoded{index: map[string]int32{string(rune('x' + i)): 7}})
			want = append(want, string(rune('x'+i)))
		}
		set := map[string]int32{"stale": 1}
		s.collectDevices(set)
		s.addDeleted([]*batchlog.Batch{deleted(1), {}, deleted(2, 9), deleted(3)}, set, names)
		var got []string
		for device := range s.Devices {
			got = append(got, device)
		}
		require.ElementsMatch(t, want, got, "%d parts", parts)
		for i, part := range s.Parts {
			require.Equal(t, map[string]int32{string(rune('x' + i)): 7}, part.index, "it is shared")
		}
	}
}
