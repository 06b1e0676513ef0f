package demo

import (
	"fmt"
	"slices"
)

// device is one simulated thing and what it measures.
type device struct {
	id       string
	name     string
	tags     []string
	metadata map[string]any
	sensors  []sensor
}

// sensor is one metric of a device.
type sensor struct {
	metric string
	unit   string
	read   signal
}

// kind is a sort of device, of which the fleet has several.
type kind struct {
	count   int
	id      string // with a verb for the number
	name    string
	tags    []string
	sensors func(id string) []sensor
}

var sites = []string{"north", "south", "harbour"}

// fleet returns the hundred devices of the demo, the same in each run.
func fleet() []device {
	var devices []device
	for _, k := range kinds {
		for number := 1; number <= k.count; number++ {
			site := sites[number%len(sites)]
			id := fmt.Sprintf(k.id, number)
			devices = append(devices, device{
				id: id, name: fmt.Sprintf(k.name, number), sensors: k.sensors(id),
				tags:     append(slices.Clone(k.tags), "demo", site),
				metadata: map[string]any{"site": site, "floor": number % 4, "model": fmt.Sprintf("TT-%d00", 1+number%5)},
			})
		}
	}
	return devices
}

var kinds = []kind{
	{30, "greenhouse-%02d", "Greenhouse %d", []string{"climate", "greenhouse"}, greenhouse},
	{30, "office-%02d", "Office %d", []string{"climate", "office"}, office},
	{15, "coldstore-%02d", "Cold store %d", []string{"climate", "coldstore"}, coldStore},
	{10, "pump-%02d", "Pump %d", []string{"machine", "pump"}, pump},
	{10, "meter-%02d", "Energy meter %d", []string{"energy", "meter"}, energyMeter},
	{5, "weather-%02d", "Weather station %d", []string{"climate", "weather"}, weather},
}

func greenhouse(id string) []sensor {
	return []sensor{
		{"temperature", "°C", wave{mean: 22, swing: 4.5, peakHour: 14, drift: 1.5, jitter: 0.1, low: 5, high: 45, decimals: 1}.signal(noiseOf(id, "temperature"))},
		{"humidity", "%", wave{mean: 68, swing: -11, peakHour: 14, drift: 6, jitter: 0.3, low: 20, high: 100, decimals: 1}.signal(noiseOf(id, "humidity"))},
		{"soil_moisture", "%", wave{mean: 38, swing: -3, peakHour: 17, drift: 4, jitter: 0.1, low: 5, high: 70, decimals: 1}.signal(noiseOf(id, "soil_moisture"))},
		{"battery", "V", battery(noiseOf(id, "battery"), 4.15, 3.45, 45)},
	}
}

func office(id string) []sensor {
	return []sensor{
		{"temperature", "°C", wave{mean: 21.5, swing: 1.4, peakHour: 15, drift: 0.7, jitter: 0.1, low: 12, high: 35, decimals: 1}.signal(noiseOf(id, "temperature"))},
		{"co2", "ppm", wave{mean: 720, swing: 260, peakHour: 13, drift: 120, jitter: 6, low: 400, high: 2500}.signal(noiseOf(id, "co2"))},
		{"motion", "", switched(noiseOf(id, "motion"), 2*minute, 0.6, 0.01)},
		{"battery", "V", battery(noiseOf(id, "battery"), 3.05, 2.7, 120)},
	}
}

func coldStore(id string) []sensor {
	door := switched(noiseOf(id, "door"), minute, 0.12, 0.005)
	cold := wave{mean: 3.5, swing: 0.3, peakHour: 15, drift: 0.6, jitter: 0.1, low: -5, high: 15, decimals: 1}
	warm := cold
	warm.mean += 1.2
	n := noiseOf(id, "temperature")
	return []sensor{
		{"temperature", "°C", while(door, warm.signal(n), cold.signal(n))},
		{"door", "", door},
		{"power", "W", wave{mean: 850, swing: 90, peakHour: 15, drift: 180, jitter: 12, high: 2000}.signal(noiseOf(id, "power"))},
	}
}

func pump(id string) []sensor {
	running := switched(noiseOf(id, "running"), 10*minute, 0.85, 0.3)
	off := func(int64) float64 { return 0 }
	return []sensor{
		{"running", "", running},
		{"flow", "l/min", while(running, wave{mean: 42, drift: 4, jitter: 0.4, high: 80, decimals: 1}.signal(noiseOf(id, "flow")), off)},
		{"pressure", "bar", while(
			running,
			wave{mean: 3.2, drift: 0.2, jitter: 0.02, high: 6, decimals: 2}.signal(noiseOf(id, "pressure")),
			wave{mean: 1.1, drift: 0.05, jitter: 0.01, high: 6, decimals: 2}.signal(noiseOf(id, "pressure")),
		)},
	}
}

func energyMeter(id string) []sensor {
	return []sensor{
		{"power", "W", wave{mean: 2400, swing: 1500, peakHour: 13, drift: 500, jitter: 40, low: 80, high: 9000}.signal(noiseOf(id, "power"))},
		{"voltage", "V", wave{mean: 230, swing: -1.5, peakHour: 18, drift: 1.5, jitter: 0.3, low: 207, high: 253, decimals: 1}.signal(noiseOf(id, "voltage"))},
		{"energy", "kWh", meter(noiseOf(id, "energy"), 2.4)},
	}
}

func weather(id string) []sensor {
	return []sensor{
		{"temperature", "°C", wave{mean: 11, swing: 5, peakHour: 14, drift: 2, jitter: 0.1, low: -30, high: 45, decimals: 1}.signal(noiseOf(id, "temperature"))},
		{"humidity", "%", wave{mean: 72, swing: -14, peakHour: 14, drift: 9, jitter: 0.3, low: 10, high: 100, decimals: 1}.signal(noiseOf(id, "humidity"))},
		{"pressure", "hPa", wave{mean: 1013, swing: 0.8, peakHour: 10, drift: 3, jitter: 0.05, low: 950, high: 1050, decimals: 1}.signal(noiseOf(id, "pressure"))},
		{"wind_speed", "m/s", wave{mean: 3.5, swing: 1.2, peakHour: 15, drift: 2.5, jitter: 0.8, high: 40, decimals: 1}.signal(noiseOf(id, "wind_speed"))},
	}
}
