package payload_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/payload"
)

func TestNames_AreAsTheyWereSent(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`cpu,host=web-1,cpu=cpu0 usage_idle=1`:           `web-1 cpu.usage_idle;cpu=cpu0`,
		`temperature,host=h value=1`:                     `h temperature`,
		`jvm.memory,host=h heap.max=1`:                   `h jvm.memory.heap%2Emax`,
		`jvm.memory.heap,host=h max=1`:                   `h jvm.memory.heap.max`,
		`jvm,host=h memory.heap.max=1`:                   `h jvm.memory%2Eheap%2Emax`,
		`sensor.temp,host=h value=1`:                     `h sensor.temp.value`,
		`sensor,host=h temp=1`:                           `h sensor.temp`,
		`sensor,host=h temp.value=1`:                     `h sensor.temp%2Evalue`,
		`sensor.temp.value,host=h value=1`:               `h sensor.temp.value.value`,
		`Sensor,host=h Value=1`:                          `h Sensor.Value`,
		`a;b\=c,host=h v=1`:                              `h a%3Bb%5C%3Dc.v`,
		"nb\u00a0sp,host=h,k=\u200b v=1":                 `h nb%C2%A0sp.v;k=%E2%80%8B`,
		`m,host=living\ room/left value=1`:               `living%20room%2Fleft m`,
		`m,host=50%,k=50% value=1`:                       `50% m;k=50%25`,
		`m,host=a%20b value=1`:                           `a%2520b m`,
		`m,host=.. value=1`:                              `%2E%2E m`,
		`m,host=Ätna;7\=x value=1`:                       `Ätna;7=x m`,
		`°C,domain=sensor,entity_id=living_room value=1`: `sensor.living_room °C`,
		`°C,entity_id=living\ room value=1`:              `living%20room °C`,
		`°C,domain=sensor,entity_id=x,host=h value=1`:    `h °C;domain=sensor;entity_id=x`,
		`°C,domain=sensor value=1`:                       `my%20db °C;domain=sensor`,
		`m value=1`:                                      `my%20db m`,
	} {
		got, rejects := decodeLines(t, payload.LineProtocol{Device: "my db"}, line)
		require.Empty(t, rejects, line)
		require.Equal(t, []string{"0 " + want + " 1700000000000 1"}, got, line)
	}
	_, rejects := decodeLines(t, payload.LineProtocol{}, `m,host=h,a=1,a=2 v=1`)
	require.Equal(t, []string{"line 1: the tag a stands twice in it; give it once"}, rejects)
	_, rejects = decodeLines(t, payload.LineProtocol{DeviceTags: []string{"id"}, Device: "b"}, `m,entity_id=e v=1`)
	require.Equal(t, []string{"line 1: no tag names the device: it takes id"}, rejects)
	got, _ := decodeLines(t, payload.LineProtocol{}, "m,entity_id=a value=1\nm,entity_id=b value=2\nm,entity_id=a value=3")
	require.Equal(t, []string{"0 a m 1699999999999 1", "1 b m 1700000000000 2", "2 a m 1700000000000 3"}, got)
}
