package acceptance

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	writers       = 4
	perRequest    = 20     // readings
	betweenPoints = 60_000 // ms
)

// load is devices that report once a minute of their own time, each by one request after the other, while a client asks
// for folds without a pause. Half of them live in 1970, in days that are over and packed, the others now.
type load struct {
	p       *program
	base    [writers]int64 // the instant of the first reading, Unix ms
	next    [writers]int64 // the first reading that is not acknowledged
	checked [writers]int64 // the first one that has not been looked for

	acknowledged chan struct{} // a value for each acknowledged request, while a test counts
	struck       atomic.Bool

	postsCut, foldsCut atomic.Int64 // begun before a strike, and never acknowledged
	storedUnknown      int          // requests whose readings were stored and could not be acknowledged any more
}

func newLoad(p *program) *load {
	l := &load{p: p}
	for w := 1; w < writers; w += 2 {
		l.base[w] = time.Now().Truncate(24 * time.Hour).UnixMilli()
	}
	return l
}

// until puts the load on the program, waits for the moment, and strikes. It returns when nothing is under way any more.
func (l *load) until(t *testing.T, moment func(ended <-chan struct{}), strike func()) {
	t.Helper()
	l.struck.Store(false)
	l.acknowledged = make(chan struct{}, 1000)
	var working sync.WaitGroup
	for w := range writers {
		working.Go(func() {
			for l.post(w) {
			}
		})
	}
	working.Go(func() {
		for l.request("/api/readings/fold", "", &l.foldsCut) {
		}
	})
	ended := make(chan struct{})
	go func() { working.Wait(); close(ended) }()
	moment(ended)
	l.struck.Store(true)
	strike()
	<-ended
}

// after returns the moment of the n-th acknowledgement.
func (l *load) after(t *testing.T, n int) func(<-chan struct{}) {
	return func(ended <-chan struct{}) {
		t.Helper()
		for range n {
			select {
			case <-l.acknowledged:
			case <-ended:
				require.FailNow(t, "the program refuses its load", l.p.log)
			}
		}
	}
}

// post sends a device's next readings, and reports whether to go on.
func (l *load) post(w int) bool {
	items := make([]string, perRequest)
	for i := range items {
		n := l.next[w] + int64(i)
		items[i] = fmt.Sprintf(`{"device":%q,"ts":%d,"values":{"m":%d}}`, deviceOf(w), l.base[w]+n*betweenPoints, n)
	}
	if !l.request("/api/readings", `{"readings":[`+strings.Join(items, ",")+`]}`, &l.postsCut) {
		return false
	}
	l.next[w] += perRequest
	select {
	case l.acknowledged <- struct{}{}:
	default:
	}
	return true
}

// request sends a request, again while it is told to, until it is acknowledged. It reports false when it never was; if
// that request was under way during the strike, it counts as cut.
func (l *load) request(path, body string, cut *atomic.Int64) (acknowledged bool) {
	for !l.struck.Load() {
		status, _ := l.p.plain(http.MethodPost, path, body)
		if status == http.StatusOK {
			return true
		}
		if l.struck.Load() {
			cut.Add(1)
		} else if status != http.StatusServiceUnavailable {
			return false
		}
	}
	return false
}

// check looks for what is new since the last check and the hour before that.
func (l *load) check(t *testing.T) {
	t.Helper()
	for w := range writers {
		l.checkFrom(t, w, max(0, l.checked[w]-60))
		l.checked[w] = l.next[w]
	}
}

// checkAll looks for everything.
func (l *load) checkAll(t *testing.T) {
	t.Helper()
	for w := range writers {
		l.checkFrom(t, w, 0)
	}
}

// checkFrom checks that every acknowledged reading from the first on is in history, once and in order, and beyond them
// those of the request whose fate is unknown, all or none.
func (l *load) checkFrom(t *testing.T, w int, first int64) {
	t.Helper()
	points := l.points(t, w, first)
	stored := first + int64(len(points))
	if stored != l.next[w] {
		require.Equal(t, l.next[w]+perRequest, stored, "%s: %d readings were acknowledged", deviceOf(w), l.next[w])
		l.storedUnknown++
	}
	for i, point := range points {
		n := first + int64(i)
		require.Equal(t, []float64{float64(l.base[w] + n*betweenPoints), float64(n)}, point)
	}
}

// points asks for the history of a device from a reading on, until a database that is recovering is back.
func (l *load) points(t *testing.T, w int, first int64) [][]float64 {
	t.Helper()
	path := fmt.Sprintf("/api/readings?device=%s&from=%d&to=4102444800000", deviceOf(w), l.base[w]+first*betweenPoints)
	status, text := http.StatusServiceUnavailable, []byte(nil)
	for begun := time.Now(); status == http.StatusServiceUnavailable && time.Since(begun) < time.Minute; {
		status, text = l.p.plain(http.MethodGet, path, "")
	}
	require.Equal(t, http.StatusOK, status, "%s\n%s", text, l.p.log)
	var answer history
	require.NoError(t, json.Unmarshal(text, &answer))
	if len(answer.Series) == 0 {
		return nil
	}
	return answer.Series[0].Points
}

// plain sends a request without holding it against the contract, which takes longer than the program does. The status is 0
// when the connection ended first.
func (p *program) plain(method, path, body string) (status int, answer []byte) {
	request, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		return 0, nil
	}
	return response.StatusCode, answer
}

func deviceOf(w int) string { return fmt.Sprint("device-", w) }
