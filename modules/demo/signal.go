package demo

import (
	"hash/fnv"
	"math"
	"time"
)

// signal is what a sensor would measure at an instant in Unix milliseconds. It is a pure function: the same series has
// the same value at the same instant in every run, so that a simulator that comes back goes on where it left.
type signal func(ms int64) float64

const (
	minute = int64(time.Minute / time.Millisecond)
	hour   = 60 * minute
	day    = 24 * hour
)

// noise is a source of random numbers by index: the same index has the same number each time.
type noise uint64

// noiseOf returns the noise that belongs to a series.
func noiseOf(device, metric string) noise {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(device + " " + metric)) // never fails
	return noise(hash.Sum64())
}

// at returns a number from 0 to below 1 for the index (splitmix64, after Vigna: https://prng.di.unimi.it/splitmix64.c).
func (n noise) at(index int64) float64 {
	x := uint64(n) + uint64(index)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}

// drift wanders between -1 and 1, with a new direction every span.
func (n noise) drift(ms, span int64) float64 {
	index, part := ms/span, float64(ms%span)/float64(span)
	from, to := n.at(index), n.at(index+1)
	part = part * part * (3 - 2*part) // eases in and out of each span
	return 2*(from+(to-from)*part) - 1
}

// jitter is a sensor's own noise, between -1 and 1, afresh at each instant.
func (n noise) jitter(ms int64) float64 { return 2*n.at(^ms) - 1 }

// cycle is 1 at the peak hour of each day (UTC), -1 twelve hours from it.
func cycle(ms int64, peakHour float64) float64 {
	return math.Cos(2 * math.Pi * (float64(ms%day)/float64(day) - peakHour/24))
}

// wave follows the day around a mean, wanders by drift and trembles by jitter. It stays between low and high.
type wave struct {
	mean, swing, peakHour float64
	drift, jitter         float64
	low, high             float64
	decimals              int
}

func (w wave) signal(n noise) signal {
	offset := w.drift * (n.at(-1) - 0.5) // no two devices of a kind are alike
	return func(ms int64) float64 {
		value := w.mean + offset + w.swing*cycle(ms, w.peakHour) + w.drift*n.drift(ms, 40*minute) + w.jitter*n.jitter(ms)
		return round(min(max(value, w.low), w.high), w.decimals)
	}
}

// battery falls slowly and is charged every few days.
func battery(n noise, full, empty float64, days int64) signal {
	period, phase := days*day, int64(n.at(-1)*float64(days*day))
	return func(ms int64) float64 {
		used := float64((ms+phase)%period) / float64(period)
		return round(full-(full-empty)*used+0.004*n.jitter(ms), 2)
	}
}

// switched is 1 in some of the spans, more of them by day than by night, and 0 otherwise.
func switched(n noise, span int64, byDay, byNight float64) signal {
	return func(ms int64) float64 {
		daylight := (1 + cycle(ms-ms%span, 13)) / 2
		if n.at(ms/span) < byNight+(byDay-byNight)*daylight {
			return 1
		}
		return 0
	}
}

// while is one signal where the condition is 1 and another where it is 0.
func while(condition, on, off signal) signal {
	return func(ms int64) float64 {
		if condition(ms) == 1 {
			return on(ms)
		}
		return off(ms)
	}
}

// meter counts up, faster by day than by night; perHour is its mean pace.
func meter(n noise, perHour float64) signal {
	pace := perHour * (0.6 + 0.8*n.at(-1))
	return func(ms int64) float64 {
		since := ms - meterEpoch
		byDay := 0.7 * 24 / (2 * math.Pi) * math.Sin(2*math.Pi*(float64(ms%day)/float64(day)-13.0/24))
		return round(pace*(float64(since)/float64(hour)+byDay), 2)
	}
}

// meterEpoch is when the meters were installed: 2025-01-01.
const meterEpoch = 1_735_689_600_000

func round(value float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	return math.Round(value*scale) / scale
}
