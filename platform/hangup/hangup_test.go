package hangup

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// pairs returns a function that makes two ends of a connection, closed when the test ends.
func pairs(t *testing.T) func() (server, client *net.TCPConn) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return func() (*net.TCPConn, *net.TCPConn) {
		client, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
		require.NoError(t, err)
		server, err := listener.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { _, _ = client.Close(), server.Close() })
		return server.(*net.TCPConn), client.(*net.TCPConn)
	}
}

func watcher(t *testing.T) *Watcher {
	w, err := Open()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

func watched(t *testing.T, w *Watcher, conn net.Conn) (told chan error, stop func()) {
	told = make(chan error, 2)
	stop, err := w.Watch(conn, func(err error) { told <- err })
	require.NoError(t, err)
	return told, stop
}

func TestWatch_TellsTheEndHoweverTheClientEnds(t *testing.T) {
	t.Parallel()
	pair := pairs(t)
	w := watcher(t)
	for name, c := range map[string]struct {
		end  func(client *net.TCPConn) error
		want error
	}{
		"close":       {(*net.TCPConn).Close, io.EOF},
		"last words":  {func(client *net.TCPConn) error { _, _ = client.Write([]byte("bye")); return client.Close() }, io.EOF},
		"half closed": {(*net.TCPConn).CloseWrite, io.EOF},
		"reset": {func(client *net.TCPConn) error {
			_ = client.SetLinger(0)
			return client.Close()
		}, syscall.ECONNRESET},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := pair()
			told, stop := watched(t, w, server)
			defer stop()
			require.NoError(t, c.end(client))
			require.ErrorIs(t, <-told, c.want)
		})
	}
}

func TestWatch_TellsAnEndThatCameBeforeIt(t *testing.T) {
	t.Parallel()
	server, client := pairs(t)()
	require.NoError(t, client.Close())
	told, _ := watched(t, watcher(t), server)
	require.ErrorIs(t, <-told, io.EOF)
}

func TestWatch_DiscardsWhatTheClientSendsAndTakesItForNoEnd(t *testing.T) {
	t.Parallel()
	pair, w := pairs(t), watcher(t)
	server, client := pair()
	told, _ := watched(t, w, server)
	much := bytes.Repeat([]byte("x"), 32<<20) // more than the system holds
	_, err := client.Write(much)
	require.NoError(t, err)
	other, otherClient := pair()
	otherTold, _ := watched(t, w, other)
	require.NoError(t, otherClient.Close())
	require.ErrorIs(t, <-otherTold, io.EOF)
	require.Empty(t, told)
	require.NoError(t, client.Close())
	require.ErrorIs(t, <-told, io.EOF)
}

func TestWatch_TellsNothingOnceItHasStopped(t *testing.T) {
	t.Parallel()
	pair, w := pairs(t), watcher(t)
	server, client := pair()
	told, stop := watched(t, w, server)
	stop()
	require.NoError(t, client.Close())
	other, otherClient := pair() // which comes after it
	otherTold, _ := watched(t, w, other)
	require.NoError(t, otherClient.Close())
	<-otherTold
	require.Empty(t, told)
	require.NoError(t, server.Close())
}

func TestWatch_OfADescriptorThatIsUsedAgainIsAnother(t *testing.T) {
	t.Parallel()
	pair, w := pairs(t), watcher(t)
	for range 200 {
		server, _ := pair()
		told, stop := watched(t, w, server)
		stop()
		require.NoError(t, server.Close())
		again, client := pair()
		toldAgain, stopAgain := watched(t, w, again)
		require.NoError(t, client.Close())
		require.ErrorIs(t, <-toldAgain, io.EOF)
		stopAgain()
		require.Empty(t, told)
	}
}

// Many at once: no end may get lost between the system's two queues.
func TestWatcher_TellsEveryEndOnce(t *testing.T) {
	t.Parallel()
	const n = 500
	pair, w := pairs(t), watcher(t)
	var clients []*net.TCPConn
	told := make(chan int, 2*n)
	for k := range n {
		server, client := pair()
		_, err := w.Watch(server, func(error) { told <- k })
		require.NoError(t, err)
		clients = append(clients, client)
	}
	var closing sync.WaitGroup
	for half := range 2 {
		closing.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(half)))
			for k := half; k < n; k += 2 {
				_, _ = clients[k].Write([]byte("x"))
				if random.IntN(10) == 0 {
					time.Sleep(time.Millisecond)
				}
				_ = clients[k].Close()
			}
		})
	}
	closing.Wait()
	seen := map[int]bool{}
	for range n {
		k := <-told
		require.False(t, seen[k])
		seen[k] = true
	}
	require.Empty(t, told)
	require.Empty(t, w.watched)
}

func TestWatcher_ThatIsClosedTellsNothingAndTakesNothing(t *testing.T) {
	t.Parallel()
	w, err := Open()
	require.NoError(t, err)
	pair := pairs(t)
	server, client := pair()
	told, stop := watched(t, w, server)
	require.NoError(t, w.Close())
	require.NoError(t, w.Close(), "again")
	require.NoError(t, client.Close())
	require.Empty(t, told)
	stop()
	other, _ := pair()
	_, err = w.Watch(other, func(error) {})
	require.Error(t, err)
}
