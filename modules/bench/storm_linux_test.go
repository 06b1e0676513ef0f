package bench

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// eventID finds the id of an event.
var eventID = regexp.MustCompile(`(?m)^id: ?(\S+)$`)

// BenchmarkResumeStorm has 1,000 viewers come back at once that all missed the same 3,000 batches, as after a restart of a
// proxy, while another client posts a reading every few milliseconds. It reports how long those posts take, beside posts to the
// same viewers once they follow live, and how long it is until each viewer has all, beside a bare process that writes as many
// bytes of events to as many connections.
func BenchmarkResumeStorm(b *testing.B) {
	const n, batches = 1000, 3000
	for _, items := range []int{1, 10} {
		b.Run(fmt.Sprintf("%d-a-batch", items), func(b *testing.B) {
			p := runProgram(b, shared.database(b))
			p.login(b)
			posts, poster := newSender(b, p, everyone()[:items], items), newSingle(b, p, fleet-1)
			require.NoError(b, posts.send()) // the series exist from now on
			require.NoError(b, poster.send())
			var stormy, calm, took, bareTook samples
			for b.Loop() {
				position := currentPosition(b, p, poster)
				for range batches {
					require.NoError(b, posts.send())
				}
				request := p.get("/api/stream", url.Values{"last_event_id": {position}})
				stop, posting := make(chan struct{}), sync.WaitGroup{}
				posting.Go(func() { stormy = append(stormy, postUntil(b, poster, stop)...) })
				began := time.Now()
				v := openViewers(b, p.address, n, request, "", 1)
				require.NoError(b, v.await(int64(batches*items)))
				took = append(took, ms(time.Since(began)))
				close(stop)
				posting.Wait()

				stop = make(chan struct{})
				time.AfterFunc(*span, func() { close(stop) })
				calm = append(calm, postUntil(b, poster, stop)...)
				v.close()

				bare := startBare(b, 1)
				v = openViewers(b, bare.address, n, []byte("\n"), "hello", 1)
				began = time.Now()
				for range batches * items / 100 {
					require.NoError(b, bare.send(0, 100))
				}
				require.NoError(b, v.await(int64(batches*items)))
				bareTook = append(bareTook, ms(time.Since(began)))
				v.close()
				bare.stop()
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(stormy.at(0.5), "post-p50-ms")
			b.ReportMetric(stormy.at(0.99), "post-p99-ms")
			b.ReportMetric(calm.at(0.5), "calm-post-p50-ms")
			b.ReportMetric(calm.at(0.99), "calm-post-p99-ms")
			b.ReportMetric(took.at(0.5), "all-ms")
			b.ReportMetric(bareTook.at(0.5), "bare-all-ms")
		})
	}
}

// currentPosition posts a reading and returns the id of its event.
func currentPosition(b testing.TB, p *program, poster *single) string {
	b.Helper()
	c, err := dial(p.address)
	require.NoError(b, err)
	defer c.close()
	require.NoError(b, c.conn.SetDeadline(time.Now().Add(patience)))
	_, err = c.conn.Write(p.get("/api/stream", url.Values{}))
	require.NoError(b, err)
	var text []byte
	var buffer [4096]byte
	for posted := false; !posted || bytes.Count(text, []byte("event: reading\n")) == 0 || !bytes.HasSuffix(text, []byte("\n\n")); {
		if !posted && bytes.Contains(text, []byte(opened)) {
			require.NoError(b, poster.send())
			posted = true
		}
		k, err := c.conn.Read(buffer[:])
		require.NoError(b, err, string(text))
		text = append(text, buffer[:k]...)
	}
	ids := eventID.FindAllSubmatch(text, -1)
	return string(ids[len(ids)-1][1])
}

// postUntil posts a reading every few milliseconds until it is told to stop, and returns how long each took in ms.
func postUntil(b testing.TB, poster *single, stop <-chan struct{}) (took samples) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return took
		case <-ticker.C:
			began := time.Now()
			if err := poster.send(); err != nil {
				b.Error(err)
				return took
			}
			took = append(took, ms(time.Since(began)))
		}
	}
}
