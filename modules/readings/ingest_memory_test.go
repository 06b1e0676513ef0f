package readings_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"telltale/config"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/fold"
	"telltale/modules/readings/history"
	"telltale/modules/readings/payload"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"

	"github.com/stretchr/testify/require"
	"telltale/modules/readings"
)

func TestMemory_OfManyTinyCommitsRefusesIngestUntilAFold(t *testing.T) {
	t.Parallel()
	const readings = 1000
	e := startEngine(t, pgtest.New(t), func(limits *config.Readings) { limits.MaxUnfoldedReadings = readings })
	e.FoldWith(func(p *fold.Parts) { p.Limits.FoldReadings = readings })
	request := payload.Request{
		ContentType: "application/json", MaxBytes: 1000, Now: time.Now(),
		Data: []byte(`{"readings":[{"device":"a","ts":2,"values":{"m":1}}]}`),
	}
	stored, err := 0, error(nil)
	for ; stored <= readings; stored++ {
		if _, err = e.Ingest(t.Context(), everyone, request, false); err != nil {
			break
		}
	}
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.Positive(t, fault.As(err).RetryAfter)
	require.Less(t, stored, readings/7)
	detail, err := e.Probe().Check()
	require.Error(t, err)
	require.Greater(t, detail["unfolded_bytes"], batchlog.UnfoldedMemory(readings))
	require.Zero(t, detail["queued_bytes"])

	// What is refused for want of room makes a fold due.
	require.NoError(t, e.Runner.Start(t.Context()))
	require.Eventually(t, func() bool { return e.Window.Stats().Unfolded == 0 }, time.Minute, 10*time.Millisecond)
	require.NoError(t, e.Runner.Stop(t.Context()))
	_, err = e.Ingest(t.Context(), everyone, request, false)
	require.NoError(t, err)
}

func TestMemory_OfInflatedBodiesAndNewNamesIsAskedFor(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	full := fault.Busy(time.Second, nil, "full")
	plain := `{"readings":[{"device":"a","ts":2,"values":{"m":1,"n":2}}]}` + strings.Repeat(" ", 100_000)
	for name, test := range map[string]struct {
		encoding string
		data     []byte
		least    int
	}{
		"names":    {"", []byte(plain), 2 * (readings.WantedName + 2)},
		"inflated": {"gzip", zipped(t, plain), len(plain)},
	} {
		for _, skip := range []bool{false, true} {
			asked := 0
			request := payload.Request{
				ContentType: "application/json", ContentEncoding: test.encoding, Data: test.data, MaxBytes: 1 << 20, Now: time.Now(),
				Reserve: func(n int) error {
					if asked += n; asked >= test.least {
						return full
					}
					return nil
				},
			}
			_, err := e.Ingest(t.Context(), everyone, request, skip)
			require.Equal(t, fault.Unavailable, fault.KindOf(err), name)
			require.Empty(t, e.Answer(t, history.Query{}).Rows, name)
		}
	}
}

// Beyond what decoders keep anyway, the values of a body are memory too, whatever they came as.
func TestMemory_OfTheValuesOfALargeBodyIsAskedFor(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	full := fault.Busy(time.Second, nil, "full")
	const n = 150_000
	rows := func(head, row, end string) []byte {
		text := []byte(head)
		for i := range n {
			text = fmt.Appendf(text, row, 1_793_491_200_000+i)
		}
		return append(text, end...)
	}
	metrics := []byte(`{"readings":[{"device":"a","ts":1793491200000,"values":{"first":1`)
	for i := range n {
		metrics = fmt.Appendf(metrics, `,"m%d":1`, i)
	}
	metrics = append(metrics, `}}]}`...)
	for name, test := range map[string]payload.Request{
		"JSON":                   {ContentType: "application/json", Data: rows(`{"readings":[{"device":"a","ts":1793491199999,"values":{"m":1}}`, `,{"device":"a","ts":%d,"values":{"m":1}}`, `]}`)},
		"JSON, one item":         {ContentType: "application/json", Data: metrics},
		"NDJSON":                 {ContentType: "application/x-ndjson", Data: rows("", `{"device":"a","ts":%d,"values":{"m":1}}`+"\n", "")},
		"CSV":                    {ContentType: "text/csv", Data: rows("device,ts,m\n", "a,%d,1\n", "")},
		"CSV in the long form":   {ContentType: "text/csv", Data: rows("device,ts,metric,value\n", "a,%d,m,1\n", "")},
		"InfluxDB line protocol": {LineProtocol: &payload.LineProtocol{Unit: time.Millisecond}, Data: rows("", "m,host=a x=1 %d\n", "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			test.MaxBytes, test.Now = 64<<20, time.Now()
			test.Reserve = func(n int) error {
				if n < 1000 { // a name
					return nil
				}
				asked++
				return full
			}
			for _, skip := range []bool{false, true} {
				_, err := e.Ingest(t.Context(), everyone, test, skip)
				require.ErrorIs(t, err, full)
			}
			require.Equal(t, 2, asked, "nothing is decoded behind it")
		})
	}
}
