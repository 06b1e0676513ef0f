package roster

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

type member struct {
	Seat
	Alarm
	hears []string
}

// wants reports whether the member hears of events of any of the devices.
func (m *member) wants(devices map[string]int32) bool {
	return slices.ContainsFunc(m.hears, func(topic string) bool { _, ok := devices[topic]; return ok || topic == AnyDevice })
}

// Against the plainest audience that there could be: a list, looked through each time.
func TestAudience_KnowsWhomAStepConcerns(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	names := []string{"a", "b", "c", "d", "e"}
	a := NewAudience[*member]()
	var present []*member
	for range 400 {
		if len(present) > 0 && random.IntN(2) == 0 {
			i := random.IntN(len(present))
			a.Remove(present[i])
			present = slices.Delete(present, i, i+1)
		} else {
			m := &member{hears: [][]string{nil, {AnyDevice}, {"a"}}[random.IntN(3)]}
			for range random.IntN(4) { // a topic perhaps twice
				if m.hears != nil && m.hears[0] != AnyDevice {
					m.hears = append(m.hears, names[random.IntN(len(names))])
				}
			}
			a.Add(m, m.hears)
			present = append(present, m)
		}
		devices := map[string]int32{names[random.IntN(len(names))]: 0, names[random.IntN(len(names))]: 0}
		found := a.Concerned(nil, devices)
		for _, m := range present {
			require.Equal(t, m.wants(devices), slices.Contains(found, m), "%q of %v", m.hears, devices)
		}
		for _, m := range found {
			require.Contains(t, present, m, "it has left")
		}
		require.ElementsMatch(t, present, a.Concerned(nil, nil))
	}
	for _, m := range present {
		a.Remove(m)
	}
	require.Empty(t, a.all)
	require.Empty(t, a.by, "nothing is kept of those who have left")
}

func TestAudience_AppendsToTheListGiven(t *testing.T) {
	t.Parallel()
	a := NewAudience[*member]()
	first, second := &member{}, &member{}
	a.Add(second, []string{"d"})
	require.Equal(t, []*member{first, second}, a.Concerned([]*member{first}, map[string]int32{"d": 0}))
	require.Equal(t, []*member{first}, a.Concerned([]*member{first}, map[string]int32{"other": 0}))
}
