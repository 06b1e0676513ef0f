package acceptance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// saveFilter saves a filter of streams and returns its id.
func (p *program) saveFilter(body string) string {
	p.t.Helper()
	status, text, err := p.try("POST", "/api/stream/filters", "application/json", strings.NewReader(body))
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusCreated, status, "%s", text)
	var saved struct{ ID string }
	require.NoError(p.t, json.Unmarshal(text, &saved))
	return saved.ID
}

// postAt stores a reading of the device a at the time.
func (p *program) postAt(at time.Time, value string) {
	p.t.Helper()
	p.call("POST", "/api/readings", "application/json",
		fmt.Sprintf(`{"readings":[{"device":"a","ts":%d,"values":{"m":%s}}]}`, at.UnixMilli(), value), nil)
}

// requireBucket checks that an event is the bucket of a second of the device a, with what history answers for it.
func (p *program) requireBucket(e event, at time.Time, values string) {
	p.t.Helper()
	require.Equal(p.t, "bucket", e.Name, e.Data)
	require.Equal(p.t, fmt.Sprintf(`{"device":"a","ts":"%s","interval":"1s","values":{"m":%s}}`,
		at.UTC().Truncate(time.Second).Format("2006-01-02T15:04:05.000Z"), values), e.Data)
}

// A viewer of buckets by a saved filter misses nothing of what happens while the server is stopped.
func TestBucketViewer_GetsAgainWhatChangedWhileTheServerWasDown(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	parameters := "?interval=1s&agg=avg&agg=count&filter=" + p.saveFilter(`{"device":["a"],"metric":["m"]}`)
	v := p.view(parameters, "")
	at := time.Now().Truncate(time.Second)
	p.postAt(at, "1.5")
	p.requireBucket(v.wait(t, 1)[0], at, `{"avg":1.5,"count":1}`)
	require.Zero(t, p.stop(), p.log)
	v.done.Wait()
	p.start()
	p.postAt(at.Add(time.Millisecond), "2.75")
	p.requireBucket(p.view(parameters, v.position()).wait(t, 1)[0], at, `{"avg":2.125,"count":2}`)

	var history struct {
		Series []struct{ Points [][]json.Number }
	}
	p.call("GET", fmt.Sprintf("/api/readings?device=a&interval=1s&agg=avg&agg=count&from=%d", at.UnixMilli()), "", "", &history)
	require.Equal(t, [][]json.Number{{json.Number(fmt.Sprint(at.UnixMilli())), "2.125", "2"}}, history.Series[0].Points)
}
