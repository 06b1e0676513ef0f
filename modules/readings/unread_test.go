package readings_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/modules/readings"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

// byName lets everybody in as who the query's header says.
type byName struct{}

func (byName) Require(scopes ...access.Scope) fiber.Handler {
	return func(c *fiber.Ctx) error {
		who := everyone
		who.Subject = strings.Clone(c.Get("X-User"))
		if err := auth.Admit(c, who, scopes...); err != nil {
			return err
		}
		return c.Next()
	}
}

// unread sends a request, reads the first line of the answer and no more.
func (a *api) unread(t *testing.T, user, path string) (*net.TCPConn, *bufio.Reader) {
	t.Helper()
	target, err := url.Parse(a.url)
	require.NoError(t, err)
	address, err := net.ResolveTCPAddr("tcp", target.Host)
	require.NoError(t, err)
	conn, err := net.DialTCP("tcp", nil, address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nX-User: %s\r\n\r\n", path, target.Host, user)
	require.NoError(t, err)
	reader := bufio.NewReaderSize(conn, 16)
	line, err := reader.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 200 OK\r\n", line)
	return conn, reader
}

// startCrowd returns an instance whose answer to heavy is far longer than what sockets take.
func startCrowd(t *testing.T) (a *api, heavy string) {
	t.Helper()
	e := startEngine(t, pgtest.New(t))
	a = &api{e, httpservertest.New(t, readings.Routes(e.Service, byName{}, 1<<20))}
	a.UseGate(4, time.Minute)
	a.fill(t, "a", 200_000, 1000)
	return a, "/api/readings?format=ndjson&from=0&to=400000000"
}

// busy counts the connections to the database that are at work or held open.
func (a *api) busy(t *testing.T) (n int) {
	t.Helper()
	const query = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
		AND backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()`
	require.NoError(t, a.DB.QueryRow(t.Context(), query).Scan(&n))
	return n
}

// Clients that do not read give their permits and connections back: others are answered, and they themselves get all of
// the answer when they read on.
func TestHistory_TakesNothingFromOthersWhileItsClientDoesNotRead(t *testing.T) {
	t.Parallel()
	a, heavy := startCrowd(t)
	_, _, whole := a.call(t, "GET", heavy, "", nil, "X-User", "modest")
	var readers []*bufio.Reader
	for i := range a.Limits.Gate.Permits() + 2 {
		_, reader := a.unread(t, fmt.Sprint("greedy-", i%2), heavy)
		readers = append(readers, reader)
	}
	require.Eventually(t, func() bool { return a.Limits.Gate.Taken() == 0 && a.busy(t) == 0 }, time.Minute, 5*time.Millisecond)
	require.Positive(t, a.Limits.Kept.Load())
	status, _, _ := a.call(t, "GET", "/api/readings?from=0&to=1000", "", nil, "X-User", "greedy-0")
	require.Equal(t, 200, status)
	// Readings that come, and go into chunks, while an answer waits are not in it.
	a.Post(t, `{"readings":[{"device":"a","ts":199000500,"values":{"m":-1}}]}`)
	a.FoldAll(t)
	for _, reader := range readers[:2] {
		response, err := http.ReadResponse(bufio.NewReader(io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\n"), reader)), nil)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		_ = response.Body.Close()
		require.Equal(t, whole, string(body))
	}
}

// Twenty clients that take a byte now and then hold none of sixteen permits: others get all of theirs meanwhile.
func TestHistory_TakesNothingFromOthersWhileItsClientsHardlyRead(t *testing.T) {
	t.Parallel()
	a, heavy := startCrowd(t)
	a.UseGate(16, time.Minute)
	_, _, whole := a.call(t, "GET", heavy, "", nil, "X-User", "modest")
	for i := range a.Limits.Gate.Permits() + 4 {
		conn, _ := a.unread(t, fmt.Sprint("greedy-", i%4), heavy)
		go func() {
			for one := make([]byte, 1); ; time.Sleep(10 * time.Millisecond) {
				if _, err := conn.Read(one); err != nil {
					return // the test is over
				}
			}
		}()
	}
	require.Eventually(t, func() bool { return a.Limits.Gate.Taken() == 0 && a.busy(t) == 0 }, time.Minute, 5*time.Millisecond)
	for range 3 {
		status, _, answer := a.call(t, "GET", heavy, "", nil, "X-User", "modest")
		require.Equal(t, 200, status)
		require.Equal(t, whole, answer)
	}
}

// What a client that has gone had kept is given back at once.
func TestHistory_FreesEverythingWhenAClientThatDoesNotReadLeaves(t *testing.T) {
	t.Parallel()
	a, heavy := startCrowd(t)
	for _, further := range []string{"", "&limit=190000", "&interval=1s"} {
		conn, _ := a.unread(t, "greedy", heavy+further)
		require.NoError(t, conn.SetLinger(0))
		require.NoError(t, conn.Close())
		require.Eventually(t, func() bool {
			return a.Limits.Gate.Taken() == 0 && a.Limits.Gate.Waiting() == 0 && a.busy(t) == 0 && a.Limits.Kept.Load() == 0
		}, time.Minute, 5*time.Millisecond, further)
	}
}

// Small queries do not wait behind large ones that are all under way, and neither does another user.
func TestHistory_AnswersSmallQueriesBesideLargeOnes(t *testing.T) {
	t.Parallel()
	a, _ := startCrowd(t)
	large := 3 // of four permits
	for range large {
		turn := a.Limits.Gate.Turn("user greedy")
		require.NoError(t, turn.Take(t.Context(), false))
		defer turn.Leave()
	}
	status, _, answer := a.call(t, "GET", "/api/readings?from=0&to=1000", "", nil, "X-User", "modest")
	require.Equal(t, 200, status, answer)
	// A large one gets its turn when the first of those ends.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- a.Limits.Gate.Turn("user modest").Take(ctx, false) }()
	require.Eventually(t, func() bool { return a.Limits.Gate.Waiting() == 1 }, time.Minute, time.Millisecond)
	require.Empty(t, ended)
}

func TestHistory_TellsAUserWhoIsOverTheShareSo(t *testing.T) {
	t.Parallel()
	a, heavy := startCrowd(t)
	a.UseGate(4, 0)
	for range 3 {
		turn := a.Limits.Gate.Turn("user greedy")
		require.NoError(t, turn.Take(t.Context(), false))
		defer turn.Leave()
	}
	status, header, answer := a.call(t, "GET", heavy, "", nil, "X-User", "greedy")
	require.Equal(t, 429, status, answer)
	require.NotEmpty(t, header.Get("Retry-After"))
	status, header, answer = a.call(t, "GET", heavy, "", nil, "X-User", "modest")
	require.Equal(t, 503, status, answer)
	require.NotEmpty(t, header.Get("Retry-After"))
}
