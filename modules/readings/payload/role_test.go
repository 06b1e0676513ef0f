package payload_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHeader_NamesOfTimeAndDeviceAreKnownInAnyCase(t *testing.T) {
	t.Parallel()
	for _, header := range []string{
		"device,ts,m", "Device,TS,m", "DEVICE,Timestamp,m", "device_id,timestamp,m", "deviceId,_time,m", "Device ID,Time,m", "device-id,time,m",
		"device,date,m", "device,DateTime,m", "device,date_time,m", "device,Date Time,m", "device,timestamp_ms,m", "device,Time (UTC),m",
		"\ufeff\"Device\",\"Timestamp\", m",
	} {
		got, body, err := decode(t, asCSV, header+"\na,1762128000000,1\n")
		require.NoError(t, err, header)
		require.Empty(t, body.Rejects, header)
		require.Equal(t, []string{"0 a m 1762128000000 1"}, got, header)
	}
	got, _, err := decode(t, asCSV, "Metric,VALUE,Device,Time\nm,1,a,5\n")
	require.NoError(t, err)
	require.Equal(t, []string{"0 a m 5 1"}, got)
	got, _, err = decode(t, asCSV, "device,uptime,run_time,response_time,time_to_live,grid,humid,candidate,update,DO,timer\na,1,2,3,4,5,6,7,8,9,10\n")
	require.NoError(t, err)
	require.Len(t, got, 10)
}

func TestHeader_WhatLooksLikeATimeOrAnIDIsNeverAMetric(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"device,ts,time,m":          `has two columns of a time in its header, "ts" and "time"`,
		"device,date,time,m":        `has two columns of a time in its header, "date" and "time"`,
		"device,TS,ts,m":            `has two columns of a time in its header, "TS" and "ts"`,
		"device,Device,m":           `has two columns of a device in its header, "device" and "Device"`,
		"device,device_id,m":        `has two columns of a device in its header`,
		"device,epoch,m":            `"epoch" in its header, which looks like a time: name it ts`,
		"device,unix_time,m":        `"unix_time" in its header, which looks like a time`,
		"device,timestamp_ns,m":     `"timestamp_ns" in its header, which looks like a time`,
		"device,ts,created_at,m":    `"created_at" in its header, which looks like a time`,
		"device,server timestamp,m": `"server timestamp" in its header, which looks like a time`,
		"host,ts,m":                 `"host" in its header, which looks like a name or an id: name the one that tells devices apart device`,
		"device,ts,id,m":            `"id" in its header, which looks like a name or an id`,
		"device,ts,sensor_id,m":     `"sensor_id" in its header, which looks like a name or an id`,
		"device,ts,sensorId,m":      `"sensorId" in its header, which looks like a name or an id`,
		"device,ts,Hostname,m":      `"Hostname" in its header, which looks like a name or an id`,
		"device;ts;m":               `is separated by semicolons; separate cells by commas, and give numbers with a decimal point`,
		"device\tts\tm":             `is separated by tabs; separate cells by commas`,
		",result,table,_start,_time,_value,_field,_measurement": `is a table as InfluxDB answers it; export line protocol there`,
		"#datatype,string,long,dateTime:RFC3339,double":         `is a table as InfluxDB answers it`,
	} {
		_, _, err := decode(t, asCSV, header+"\na,1,1,1\n")
		require.ErrorContains(t, err, want, header)
	}
}

func TestKey_ThatLooksLikeATimeOrADeviceIsNamedInTheReason(t *testing.T) {
	t.Parallel()
	const isTime, isDevice = `and looks like a time: the key of a reading's time is "ts"`, `and looks like a device: the key of a reading's device is "device"`
	for item, want := range map[string]string{
		`{"device":"a","timestamp":1762128000000,"values":{"m":1}}`: "readings[0].timestamp: is not known, " + isTime,
		`{"device":"a","TS":1762128000000,"values":{"m":1}}`:        "readings[0].TS: is not known, " + isTime,
		`{"device":"a","time":1762128000000,"values":{"m":1}}`:      "readings[0].time: is not known, " + isTime,
		`{"Device":"a","values":{"m":1}}`:                           "readings[0].Device: is not known, " + isDevice,
		`{"device_id":"a","values":{"m":1}}`:                        "readings[0].device_id: is not known, " + isDevice,
		`{"device":"a","Values":{"m":1}}`:                           `readings[0].Values: is not known, and looks like "values"`,
		`{"device":"a","values":{"timestamp":1762128000000,"m":1}}`: "readings[0].values.timestamp: is no metric by its name, " + isTime,
		`{"device":"a","values":{"m":1,"ts":1762128000000}}`:        "readings[0].values.ts: is no metric by its name, " + isTime,
		`{"values":{"m":1,"deviceId":7},"device":"a"}`:              "readings[0].values.deviceId: is no metric by its name, " + isDevice,
		`{"device":"a","ts":5,"ts":6,"values":{"m":1}}`:             "readings[0].ts: stands twice in one reading",
		`{"device":"a","values":{"_time":1762128000000,"m":1}}`:     "readings[0].values._time: is no metric by its name, " + isTime,
	} {
		got, body, err := decode(t, asJSON, `{"readings":[`+item+`]}`)
		require.NoError(t, err)
		require.Empty(t, got)
		require.Len(t, body.Rejects, 1, item)
		require.Contains(t, body.Rejects[0].Field+": "+body.Rejects[0].Reason, want)
	}
	got, _, err := decode(t, asJSON, `{"readings":[{"device":"a","ts":5,"values":{"time":1}},{"device":"a","values":{"t":2}}]}`)
	require.NoError(t, err)
	require.Equal(t, []string{"0 a time 5 1", "1 a t 1700000000000 2"}, got)
}
