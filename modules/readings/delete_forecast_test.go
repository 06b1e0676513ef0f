package readings_test

import (
	"fmt"
	"testing"

	"telltale/modules/readings/chunk"
	"telltale/modules/readings/deletion"
	"telltale/modules/readings/history"

	"github.com/stretchr/testify/require"
)

func TestDeletion_TakesAForecastAwayBeforeItsTime(t *testing.T) {
	t.Parallel()
	for _, fold := range []bool{false, true} {
		for _, carryOut := range []bool{false, true} {
			t.Run(fmt.Sprintf("folded %t, carried out %t", fold, carryOut), func(t *testing.T) {
				t.Parallel()
				a := newAlmanac(t, 2)
				for hours, value := range map[int64]float64{-2: 1, -1: 2, 5: 3, 6: 4} {
					a.put(t, hours, value)
				}
				if fold {
					a.engines[0].FoldAll(t)
				}
				remove := func(hours int64) {
					from := forecastStart + hours*chunk.Hour
					_, _, err := a.engines[0].Mark(t.Context(), deletion.Request{Devices: []string{"a"}, From: from, To: from + 1})
					require.NoError(t, err)
					if carryOut {
						require.NoError(t, a.engines[0].Tail.Reach(t.Context()))
						a.engines[0].FoldAll(t)
					}
				}
				present := func(hours int64, value float64) {
					a.requireLatest(t, hours, &value)
					a.restart(t)
					a.requireLatest(t, hours, &value)
				}
				present(-1, 2)
				remove(-1)
				present(-2, 1)
				remove(5)
				a.clock.Add(5 * chunk.Hour)
				present(-2, 1)
				a.clock.Add(chunk.Hour)
				present(6, 4)
			})
		}
	}
}

// Of several series that are looked up together, each is without what was deleted of it, and only of it.
func TestDeletion_TakesTheForecastsOfTheRightSeriesAway(t *testing.T) {
	t.Parallel()
	a := newAlmanac(t, 1)
	e := a.engines[0]
	for device := range 6 {
		e.Post(t, `{"readings":[{"device":"d%[1]d","ts":%[2]d,"values":{"m":1}},{"device":"d%[1]d","ts":%[3]d,"values":{"m":2}}]}`,
			device, forecastStart-int64(device)*10*chunk.Hour, forecastStart+chunk.Hour)
	}
	for _, device := range []string{"d0", "d2"} { // are found at once, the others further back
		e.Post(t, `{"readings":[{"device":%q,"ts":%d,"values":{"m":3}}]}`, device, forecastStart+5*chunk.Hour)
	}
	e.FoldAll(t)
	for _, device := range []string{"d1", "d4"} {
		_, _, err := e.Mark(t.Context(), deletion.Request{Devices: []string{device}, From: forecastStart, To: forecastStart + 2*chunk.Hour})
		require.NoError(t, err)
	}
	require.NoError(t, e.Tail.Reach(t.Context()))
	a.clock.Add(5 * chunk.Hour)
	require.NoError(t, e.Forecasts.Settle(t.Context()))
	states, err := e.Queries.Latest(t.Context(), everyone, history.Selection{})
	require.NoError(t, err)
	var values []float64
	for _, s := range states {
		values = append(values, s.LastValue)
	}
	require.Equal(t, []float64{3, 1, 3, 2, 1, 2}, values)
}
