package demo

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/devices"
)

var start = time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)

// dayOf returns a day of a sensor, one value every ten seconds.
func dayOf(s sensor) []float64 {
	var values []float64
	for at := start; at.Before(start.Add(24 * time.Hour)); at = at.Add(step) {
		values = append(values, s.read(at.UnixMilli()))
	}
	return values
}

func TestFleet_IsAHundredValidDevices(t *testing.T) {
	t.Parallel()
	covered := access.Principal{Devices: patterns()}
	ids := map[string]bool{}
	for _, d := range fleet() {
		ids[d.id] = true
		require.NoError(t, devices.ValidateID(d.id))
		require.True(t, covered.Sees(d.id), "the API key has to cover %s", d.id)
		require.Contains(t, d.tags, "demo")
		require.GreaterOrEqual(t, len(d.sensors), 3)
		for _, s := range d.sensors {
			require.NoError(t, devices.ValidateMetric(s.metric))
		}
	}
	require.Len(t, ids, 100)
}

func TestFleet_ReadsTheSameInEveryRun(t *testing.T) {
	t.Parallel()
	again := fleet()
	for i, d := range fleet() {
		for j, s := range d.sensors {
			for _, ms := range []int64{start.UnixMilli(), 1_793_620_800_000, 1_793_620_801_000} {
				require.Equal(t, s.read(ms), again[i].sensors[j].read(ms))
			}
		}
	}
	var sum float64
	for _, value := range dayOf(sensorOf(t, "greenhouse-07", "temperature")) {
		sum += value
	}
	require.InDelta(t, 186664.7, sum, 1, "a changed signal leaves a seam in history that was written before")
}

func TestFleet_SensorsReadWhatTheirKindCanMeasure(t *testing.T) {
	t.Parallel()
	limits := map[string][2]float64{
		"temperature": {-10, 40}, "humidity": {20, 100}, "soil_moisture": {20, 60}, "battery": {2.6, 4.2}, "co2": {400, 1500},
		"motion": {0, 1}, "door": {0, 1}, "running": {0, 1}, "power": {80, 7000}, "flow": {0, 60}, "voltage": {220, 240},
		"energy": {0, 1e6}, "wind_speed": {0, 20},
	}
	for _, d := range fleet() {
		for _, s := range d.sensors {
			limit, known := limits[s.metric]
			for _, value := range dayOf(s) {
				if value != round(value, 2) || known && (value < limit[0] || value > limit[1]) {
					require.FailNow(t, "implausible", "%s %s: %v", d.id, s.metric, value)
				}
			}
		}
	}
}

func TestFleet_TemperaturesFollowTheDayAndTremble(t *testing.T) {
	t.Parallel()
	values := dayOf(sensorOf(t, "greenhouse-01", "temperature"))
	hourly := func(hour int) (mean float64) {
		for _, value := range values[hour*360 : (hour+1)*360] {
			mean += value / 360
		}
		return mean
	}
	require.Greater(t, hourly(14), hourly(2)+4)
	changes := 0
	for i, value := range values[1:] {
		if math.Abs(value-values[i]) > 1 {
			require.FailNow(t, "a room does not jump")
		}
		if value != values[i] {
			changes++
		}
	}
	require.Greater(t, changes, len(values)/4)
}

func TestFleet_BatteriesFallAndMetersRise(t *testing.T) {
	t.Parallel()
	falling := 0
	for _, d := range fleet() {
		for _, s := range d.sensors {
			values := dayOf(s)
			switch s.metric {
			case "battery":
				if values[0] >= values[len(values)-1] {
					falling++
				}
			case "energy":
				require.True(t, slices.IsSorted(values))
				require.Greater(t, values[len(values)-1], values[0]+20)
			}
		}
	}
	require.Greater(t, falling, 55, "all but those that are charged on that day")
}

func TestFleet_SwitchesAreBothOnAndOff(t *testing.T) {
	t.Parallel()
	for _, d := range fleet() {
		for _, s := range d.sensors {
			if s.metric != "door" && s.metric != "motion" && s.metric != "running" {
				continue
			}
			on, flips := 0, 0
			values := dayOf(s)
			for i, value := range values {
				on += int(value)
				if i > 0 && value != values[i-1] {
					flips++
				}
			}
			require.Greater(t, on, 0, "%s %s", d.id, s.metric)
			require.Less(t, on, len(values))
			require.Greater(t, flips, 3)
			require.Less(t, flips, len(values)/6, "a switch stays for a while")
		}
	}
}

func sensorOf(t *testing.T, id, metric string) sensor {
	for _, d := range fleet() {
		for _, s := range d.sensors {
			if d.id == id && s.metric == metric {
				return s
			}
		}
	}
	require.FailNow(t, "no such sensor", strings.Join([]string{id, metric}, " "))
	return sensor{}
}
