package payload_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/instant"
	"telltale/modules/readings/payload"
)

// decodeLines decodes line protocol, and returns the accepted readings as `item device metric ts value`, and the rejects.
func decodeLines(t *testing.T, how payload.LineProtocol, data string) (accepted, rejects []string) {
	t.Helper()
	var d payload.Decoder
	n := &names{}
	body, err := d.Decode(payload.Request{
		ContentType: "application/x-www-form-urlencoded", LineProtocol: &how, Data: []byte(data), MaxBytes: 1 << 20, Now: now, Earliest: time.UnixMilli(instant.Min),
	}, n)
	require.NoError(t, err)
	byID := make(map[int32]string)
	for name, id := range n.series {
		byID[id] = name
	}
	for i, id := range body.Series {
		accepted = append(accepted, fmt.Sprintf("%d %s %d %v", body.Item[i], byID[id], body.TS[i], body.Value[i]))
	}
	require.Equal(t, body.Rejected, len(body.Rejects))
	for _, r := range body.Rejects {
		rejects = append(rejects, r.Field+": "+r.Reason)
	}
	return accepted, rejects
}

// These lines are what Telegraf 1.30 sends for its inputs cpu, mem, disk, system and net, shortened.
func TestLineProtocol_ReadsWhatTelegrafSends(t *testing.T) {
	t.Parallel()
	got, rejects := decodeLines(t, payload.LineProtocol{}, `cpu,cpu=cpu0,host=web-1 usage_idle=97.5,usage_user=1.25 1762128000000000000
cpu,cpu=cpu-total,host=web-1 usage_idle=98 1762128000000000000
mem,host=web-1 total=16777216000i,used_percent=41.5 1762128000000000000
disk,device=sda1,fstype=ext4,host=web-1,mode=rw,path=/ free=1024u,used_percent=7 1762128000000000000
disk,device=sda1,fstype=ext4,host=web-2,mode=rw,path=/ free=2048u 1762128000000000000
system,host=web-1 uptime_format=" 3 days, 20:11" 1762128000000000000
system,host=web-1 load1=0.5,n_cpus=4i,uptime_format="4 days" 1762128000000000000
net,host=web-1,interface=eth0 up=true,bytes_recv=9i 1762128000000000000
`)
	require.Empty(t, rejects)
	require.Equal(t, []string{
		"0 web-1 cpu.usage_idle;cpu=cpu0 1762128000000 97.5",
		"0 web-1 cpu.usage_user;cpu=cpu0 1762128000000 1.25",
		"1 web-1 cpu.usage_idle;cpu=cpu-total 1762128000000 98",
		"2 web-1 mem.total 1762128000000 1.6777216e+10",
		"2 web-1 mem.used_percent 1762128000000 41.5",
		"3 web-1 disk.free;device=sda1;fstype=ext4;mode=rw;path=%2F 1762128000000 1024",
		"3 web-1 disk.used_percent;device=sda1;fstype=ext4;mode=rw;path=%2F 1762128000000 7",
		"4 web-2 disk.free;device=sda1;fstype=ext4;mode=rw;path=%2F 1762128000000 2048",
		"6 web-1 system.load1 1762128000000 0.5",
		"6 web-1 system.n_cpus 1762128000000 4",
		"7 web-1 net.up;interface=eth0 1762128000000 1",
		"7 web-1 net.bytes_recv;interface=eth0 1762128000000 9",
	}, got)
}

func TestLineProtocol_ReadsWhatFirmwareSends(t *testing.T) {
	t.Parallel()
	got, rejects := decodeLines(t, payload.LineProtocol{Unit: time.Second}, strings.Join([]string{
		`# a comment`,
		``,
		`temperature,device=greenhouse-7 value=21.5 1762128000`,
		`wifi_status,SSID=my\ home,device=ESP32 rssi=-61i,ok=t` + "\r",
		`a\,b,z=1,device=x,y=2 value=.5,text="with \"quotes\" and
a line end",c=-1e-3 1762128001`,
		`m,device=x v=1`,
	}, "\n"))
	require.Empty(t, rejects)
	require.Equal(t, []string{
		"0 greenhouse-7 temperature 1762128000000 21.5",
		"1 ESP32 wifi_status.rssi;SSID=my%20home 1700000000000 -61",
		"1 ESP32 wifi_status.ok;SSID=my%20home 1700000000000 1",
		"2 x a%2Cb;y=2;z=1 1762128001000 0.5",
		"2 x a%2Cb.c;y=2;z=1 1762128001000 -0.001",
		"3 x m.v 1700000000000 1",
	}, got)
}

// No two series of InfluxDB become one here.
func TestLineProtocol_DifferentTagsMakeDifferentMetrics(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, tags := range []string{"a=1,b=2", `a=1;b\=2`, "a=1%3Bb%3D2", `a=1;b=2`, "a=1", `a=1\ `, `a=1\,`} {
		lines = append(lines, "m,device=d,"+tags+" f=1")
	}
	got, rejects := decodeLines(t, payload.LineProtocol{}, strings.Join(lines, "\n"))
	seen := map[string]bool{}
	for _, line := range got {
		name := strings.Fields(line)[2]
		require.False(t, seen[name], name)
		seen[name] = true
	}
	require.Len(t, seen, len(lines)-len(rejects))
	require.Equal(t, []string{"m.f;a=1;b=2", "m.f;a=1%3Bb%3D2"}, []string{strings.Fields(got[0])[2], strings.Fields(got[1])[2]})
}

func TestLineProtocol_OtherTagsMayNameTheDevice(t *testing.T) {
	t.Parallel()
	line := "m,device=d,entity_id=e,host=h value=1 1000000"
	for tags, want := range map[string]string{
		"":                  "0 h m;device=d;entity_id=e 1 1",
		"device,host":       "0 d m;entity_id=e;host=h 1 1",
		"nothing,entity_id": "0 e m;device=d;host=h 1 1",
	} {
		how := payload.LineProtocol{}
		if tags != "" {
			how.DeviceTags = strings.Split(tags, ",")
		}
		got, rejects := decodeLines(t, how, line)
		require.Empty(t, rejects)
		require.Equal(t, []string{want}, got)
	}
}

func TestLineProtocol_ReadsEveryPrecision(t *testing.T) {
	t.Parallel()
	for unit, text := range map[time.Duration]string{
		0: "1762128000123999999", time.Microsecond: "1762128000123999", time.Millisecond: "1762128000123",
		time.Second: "1762128000", time.Minute: "29368800", time.Hour: "489480",
	} {
		got, rejects := decodeLines(t, payload.LineProtocol{Unit: unit}, "m,device=d value=1 "+text)
		require.Empty(t, rejects)
		want := int64(1762128000000)
		if unit < time.Second {
			want = 1762128000123
		}
		require.Equal(t, []string{fmt.Sprintf("0 d m %d 1", want)}, got)
	}
}

func TestLineProtocol_NamesEachBadLineAndKeepsTheOthers(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`m value=1`:                              `no tag names the device: it takes host or device`,
		`m,device=! value=1`:                     `device no such device`,
		`m,device=d`:                             `it is not line protocol: at column 11, expected tag key or field but found '\n' instead`,
		`m,device=d value`:                       `it is not line protocol: at column 17, want '=' after field key "value", found '\n'`,
		`m,device=d value=nan`:                   `it is not line protocol: at column 18, field value has unrecognized type`,
		`m,device=d value=1x`:                    `m: 1x is no number or boolean`,
		`m,device=d value=99999999999999999999i`: `m: 99999999999999999999 is out of range`,
		`m,device=d value=1e999`:                 `m: 1e999 is too large for a float64`,
		`m,device=d value=tru`:                   `m: tru is no number or boolean`,
		`m,device=d f=1,f=2`:                     `m.f: stands twice in one reading; give it once`,
		`!,device=d value=1`:                     `!: 100% no such metric`,
		`m,device=d value=1 -1`:                  `the time -1 is before 1970; times of readings lie between 1971-01-01 and 2200-01-01; is the sender's clock set?`,
		`m,device=d value=1 7258118400000000000`: `the time 7258118400000000000 is 2200-01-01T00:00:00Z; times of readings lie between 1971-01-01 and 2200-01-01; is the sender's clock set?`,
		`m,device=d value=1 2026-11-01`:          `the time 2026-11-01 is none: give an integer in units of 1ns`,
		`m,device=d value=1 soon`:                `it is not line protocol: at column 20, invalid timestamp ("soon")`,
		"m,device=d,x=\xff value=1":              `it is not line protocol: at column 14, invalid utf-8 sequence in token "\xff"`,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			got, rejects := decodeLines(t, payload.LineProtocol{}, "# begins\nm,device=d value=1 1000000\n"+line+"\nm,device=d value=2 2000000")
			require.Equal(t, []string{"0 d m 1 1", "2 d m 2 2"}, got)
			require.Equal(t, []string{"line 3: " + want}, rejects)
		})
	}
}

func TestLineProtocol_LineMayBeLongerThanTheBuffer(t *testing.T) {
	t.Parallel()
	long := `m,device=d text="` + strings.Repeat("x", 100_000) + `",value=1 1000000`
	got, rejects := decodeLines(t, payload.LineProtocol{}, long+"\n"+long+"\nbad\n")
	require.Equal(t, []string{"0 d m 1 1", "1 d m 1 1"}, got)
	require.Len(t, rejects, 1)
	require.Contains(t, rejects[0], "line 3: ")
}

func TestLineProtocol_LinesOfTextOnlyAreNoReadingsButNoFaultEither(t *testing.T) {
	t.Parallel()
	got, rejects := decodeLines(t, payload.LineProtocol{}, `m,device=d s="x"`)
	require.Empty(t, got)
	require.Empty(t, rejects)
	var d payload.Decoder
	for _, nothing := range []string{"", "\n", "\n# nothing\n", "#", " \r\n"} {
		for _, encoding := range []string{"", "gzip"} {
			data := []byte(nothing)
			if encoding == "gzip" && nothing != "" {
				data = zip(t, nothing)
			}
			body, err := d.Decode(payload.Request{
				LineProtocol: &payload.LineProtocol{}, ContentEncoding: encoding, Data: data, MaxBytes: 100,
			}, &names{})
			require.NoError(t, err, "%q", nothing)
			require.Zero(t, body.Items)
		}
	}
}
