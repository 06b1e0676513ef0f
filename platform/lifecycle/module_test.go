package lifecycle

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"telltale/platform/leak"
)

// stubborn is set for a process of this test's own, which does not want to stop.
const stubborn = "LIFECYCLE_TEST_STUBBORN"

func TestMain(m *testing.M) {
	if os.Getenv(stubborn) != "" {
		echo = 0
		_ = Run(fx.Invoke(func(lc fx.Lifecycle) {
			lc.Append(fx.Hook{
				OnStart: say("started"),
				OnStop: func(context.Context) error {
					_ = say("stopping")(context.Background())
					select {}
				},
			})
		}))
		os.Exit(0)
	}
	leak.Main(m)
}

func say(word string) func(context.Context) error {
	return func(context.Context) error {
		_, err := os.Stdout.WriteString(word + "\n")
		return err
	}
}

// kill sends this process a signal, which Run is expected to be listening for.
func kill(t *testing.T, s syscall.Signal) {
	t.Helper()
	require.NoError(t, syscall.Kill(os.Getpid(), s))
}

// record returns a hook that notes its start and stop.
func record(notes *[]string, name string) fx.Hook {
	note := func(word string) func(context.Context) error {
		return func(context.Context) error {
			*notes = append(*notes, name+" "+word)
			return nil
		}
	}
	return fx.Hook{OnStart: note("started"), OnStop: note("stopped")}
}

func TestRun_StopsAtASignal(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		var notes []string
		require.NoError(t, Run(fx.Invoke(func(lc fx.Lifecycle) {
			lc.Append(record(&notes, "first"))
			lc.Append(record(&notes, "second"))
			lc.Append(fx.StartHook(func() { kill(t, s) }))
		})))
		require.Equal(t, []string{"first started", "second started", "second stopped", "first stopped"}, notes)
	}
}

func TestRun_TakesASignalThatArrivesTwiceForOne(t *testing.T) {
	defer func(d time.Duration) { echo = d }(echo)
	echo = time.Hour // however slow the machine is
	var notes []string
	require.NoError(t, Run(fx.Invoke(func(lc fx.Lifecycle) {
		lc.Append(record(&notes, "first"))
		lc.Append(fx.StartStopHook(
			func() { kill(t, syscall.SIGINT) },
			func() { kill(t, syscall.SIGINT) },
		))
	})))
	require.Equal(t, []string{"first started", "first stopped"}, notes)
}

func TestRun_InterruptedDuringTheStartStopsWhatHasStarted(t *testing.T) {
	var notes []string
	require.NoError(t, Run(fx.Invoke(func(lc fx.Lifecycle) {
		lc.Append(record(&notes, "first"))
		lc.Append(fx.StartHook(func(ctx context.Context) error {
			kill(t, syscall.SIGTERM)
			<-ctx.Done()
			return ctx.Err()
		}))
		lc.Append(record(&notes, "never"))
	})))
	require.Equal(t, []string{"first started", "first stopped"}, notes)
}

func TestRun_ReturnsAnErrorAtTheStartAsItIs(t *testing.T) {
	var notes []string
	taken := errors.New("the port is taken")
	err := Run(fx.Invoke(func(lc fx.Lifecycle) {
		lc.Append(record(&notes, "first"))
		lc.Append(fx.StartHook(func() error { return taken }))
	}))
	require.Equal(t, taken, err)
	require.Equal(t, []string{"first started", "first stopped"}, notes)
}

func TestRun_ReturnsAnErrorOfAConstructorWithoutItsWayThroughFx(t *testing.T) {
	broken := errors.New("the key does not fit")
	type lock struct{}
	type door struct{}
	err := Run(
		fx.Provide(func() (lock, error) { return lock{}, broken }, func(lock) door { return door{} }),
		fx.Invoke(func(door) {}),
	)
	require.Equal(t, broken, err)
}

func TestRun_ReturnsAnErrorWhenTheExitCodeOfAPartSaysSo(t *testing.T) {
	end := func(code int) error {
		return Run(fx.Invoke(func(lc fx.Lifecycle, s fx.Shutdowner) {
			lc.Append(fx.StartHook(func() error { return s.Shutdown(fx.ExitCode(code)) }))
		}))
	}
	require.NoError(t, end(0))
	require.ErrorIs(t, end(1), ErrFailed)
}

func TestRun_ReturnsAnErrorWhileStopping(t *testing.T) {
	busy := errors.New("three connections are busy")
	err := Run(fx.Invoke(func(lc fx.Lifecycle, s fx.Shutdowner) {
		lc.Append(fx.StopHook(func() error { return busy }))
		lc.Append(fx.StartHook(func() error { return s.Shutdown() }))
	}))
	require.ErrorIs(t, err, busy)
	require.ErrorContains(t, err, "stopping: ")
}

func TestRun_EndsAtASecondInterrupt(t *testing.T) {
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), stubborn+"=1")
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	expect := func(word string) {
		line := make([]byte, len(word)+1)
		_, err := out.Read(line)
		require.NoError(t, err)
		require.Equal(t, word+"\n", string(line))
	}
	expect("started")
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	expect("stopping")
	require.NoError(t, command.Process.Signal(syscall.SIGINT))
	var exit *exec.ExitError
	require.ErrorAs(t, command.Wait(), &exit)
	require.Equal(t, 130, exit.ExitCode())
}
