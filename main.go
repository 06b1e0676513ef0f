// Telltale is a self-hosted telemetry backend: devices post readings, dashboards ask for history, live views follow.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // queries name time zones, and not every machine and no image from scratch knows them

	"github.com/alecthomas/kong"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/demo"
	"telltale/modules/devices"
	"telltale/modules/readings"
	"telltale/modules/streaming"
	"telltale/platform/cli"
	"telltale/platform/httpserver"
	"telltale/platform/lifecycle"
	"telltale/platform/logging"
	"telltale/platform/openapi"
	"telltale/platform/postgres"
	"telltale/platform/version"
)

// modules is the whole program, in the order in which it is best read. What runs is decided by what needs what.
var modules = fx.Options(
	config.Module,
	logging.Module,
	postgres.Module,
	httpserver.Module,
	openapi.Module,
	auth.Module,
	devices.Module,
	readings.Module,
	streaming.Module,
)

// commands are the subcommands. Settings come from the environment, never from flags.
type commands struct {
	Serve       serve       `cmd:"" default:"1" help:"Serve the API; the default."`
	Demo        simulate    `cmd:"" help:"Serve the API and simulate a hundred devices, with a day of their history."`
	Migrate     migrate     `cmd:"" help:"Bring the database's schema up to date and exit."`
	Import      importing   `cmd:"" help:"Post the readings of files to a running server."`
	Export      exporting   `cmd:"" help:"Write the history that a running server has to a file."`
	Config      explain     `cmd:"" help:"Print every setting with its meaning, default and effective value."`
	Healthcheck healthcheck `cmd:"" help:"Ask the instance on this machine whether it is ready; exit 0 or 1."`
	Version     printed     `cmd:"" help:"Print the version."`
}

// Exit codes other than 0. A supervisor need not restart what exits with misconfigured.
const (
	failed        = 1
	misconfigured = 2
)

func main() { os.Exit(run(os.Args[1:])) }

// run runs the subcommand that the arguments name and returns the exit code.
func run(args []string) int {
	parser := kong.Must(&commands{}, kong.Name("telltale"), kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Vars{"port": defaultPort()},
		kong.Description("A self-hosted telemetry backend. Settings come from the environment: see telltale config."))
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "telltale: %v (try telltale --help)\n", err)
		return misconfigured
	}
	if err := command.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "telltale: %v\n", err)
		if _, ok := errors.AsType[config.Faults](err); ok {
			return misconfigured
		}
		return failed
	}
	return 0
}

type serve struct{}

func (serve) Run() error { return serveWith() }

// serveWith runs the program, with further modules if there are any, until it is told to stop.
func serveWith(more ...fx.Option) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	return lifecycle.Run(
		fx.Supply(cfg),
		fx.Provide(announce),
		fx.WithLogger(events),
		modules,
		fx.Module("greeting", fx.Invoke(greet)),
		fx.Options(more...),
	)
}

// events shows what fx does to whoever asked for all details. Its errors reach the operator by way of run.
func events(log *zap.Logger) fxevent.Logger {
	if !log.Core().Enabled(zap.DebugLevel) {
		return fxevent.NopLogger
	}
	return logging.NewEvents(log)
}

// announce returns how the operator learns of the administrator whom auth has made.
func announce(cfg config.Config) auth.Announce {
	return func(username, password string) {
		_ = cli.Credentials(os.Stdout, cfg, username, password) // nobody is there to read that nobody reads it
	}
}

// greet says where the program serves once it does.
func greet(lc fx.Lifecycle, cfg config.HTTP, _ *httpserver.Server) {
	lc.Append(fx.StartHook(func() error { return cli.Banner(os.Stdout, cfg) }))
}

type simulate struct{}

func (simulate) Run() error { return serveWith(demo.Module) }

type migrate struct{}

func (migrate) Run() error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	ctx, cancel := untilSignal()
	defer cancel()
	return cli.Migrate(ctx, os.Stdout, cfg)
}

type explain struct {
	Format string `enum:"report,markdown,env" default:"report" help:"report (this environment's values), markdown (the README's table) or env (an example file)."`
}

func (e explain) Run() error {
	switch e.Format {
	case "markdown":
		return config.WriteMarkdown(os.Stdout)
	case "env":
		return config.WriteExample(os.Stdout)
	default:
		return config.WriteReport(os.Stdout)
	}
}

type healthcheck struct{}

func (healthcheck) Run() error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	return cli.Healthcheck(context.Background(), cfg.HTTP)
}

type printed struct{}

func (printed) Run() error {
	_, err := fmt.Println(version.String())
	return err
}

// untilSignal returns a context that ends when the process is asked to.
func untilSignal() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}
