// Telltale is a self-hosted telemetry backend: devices post readings, dashboards ask for history, live views follow.
//
// This package lists the modules in the order in which they are best read, and parses the command line. Subcommands are thin:
// what they do is in packages cli, transfer and lifecycle.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // queries name time zones, and not every machine and no image from scratch knows them

	"github.com/jessevdk/go-flags"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/auth/bootstrap"
	"telltale/modules/dashboard"
	"telltale/modules/demo"
	"telltale/modules/devices"
	"telltale/modules/readings"
	"telltale/modules/schema"
	"telltale/modules/series"
	"telltale/modules/streaming"
	"telltale/platform/cli"
	"telltale/platform/httpapp"
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
	fx.Provide(schema.New),
	postgres.Module,
	httpapp.Module,
	openapi.Module,
	auth.Module,
	series.Module,
	devices.Module,
	readings.Module,
	streaming.Module,
	dashboard.Module,
)

// commands are the subcommands. Settings come from the environment, never from flags.
type commands struct {
	Serve       serve       `command:"serve" description:"Serve the API and the live page; the default."`
	Demo        simulate    `command:"demo" description:"Serve, and simulate a hundred devices with a day of their history."`
	Migrate     migrate     `command:"migrate" description:"Bring the database's schema up to date and exit."`
	Key         key         `command:"key" description:"Make an API key without logging in: telltale key create."`
	Import      importing   `command:"import" description:"Post the readings of files to a running server."`
	Export      exporting   `command:"export" description:"Write the history that a running server has to a file."`
	Config      explain     `command:"config" description:"Print every setting with its meaning, default and effective value."`
	Healthcheck healthcheck `command:"healthcheck" description:"Ask the instance on this machine whether it is ready; exit 0 or 1."`
	Version     printed     `command:"version" description:"Print the version."`
}

// Exit codes other than 0. A supervisor need not restart what exits with misconfigured.
const (
	failed        = 1
	misconfigured = 2
)

func main() { os.Exit(run(os.Args[1:])) }

// run runs the subcommand that the arguments name and returns the exit code.
func run(args []string) int {
	parser := flags.NewNamedParser("telltale", flags.HelpFlag|flags.PassDoubleDash)
	parser.ShortDescription = "A self-hosted telemetry backend"
	parser.LongDescription = "A self-hosted telemetry backend. Settings come from the environment: see telltale config."
	parser.SubcommandsOptional = true
	chosen := flags.Commander(serve{})
	parser.CommandHandler = func(command flags.Commander, rest []string) error {
		if len(rest) > 0 {
			return fmt.Errorf("unexpected argument %s", rest[0])
		}
		if command != nil {
			chosen = command
		}
		return nil
	}
	if _, err := parser.AddGroup("Application Options", "", &commands{}); err != nil {
		panic(err) // a mistake of the program, which every test of it finds
	}
	if _, err := parser.ParseArgs(args); flags.WroteHelp(err) {
		fmt.Println(err)
		return 0
	} else if err != nil {
		fmt.Fprintf(os.Stderr, "telltale: %v (try telltale --help)\n", err)
		return misconfigured
	}
	if err := chosen.Execute(nil); err != nil {
		fmt.Fprintf(os.Stderr, "telltale: %v\n", err)
		if _, ok := errors.AsType[config.Faults](err); ok {
			return misconfigured
		}
		return failed
	}
	return 0
}

// separated returns the words of a flag that may be repeated, given one by one or several with commas between them.
func separated(values []string) (words []string) {
	for _, value := range values {
		words = append(words, strings.Split(value, ",")...)
	}
	return words
}

type serve struct{}

func (serve) Execute([]string) error { return serveWith() }

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

// events logs what fx does at the level debug. Its errors reach the operator by way of run.
func events(log *zap.Logger) fxevent.Logger {
	if !log.Core().Enabled(zap.DebugLevel) {
		return fxevent.NopLogger
	}
	return logging.NewEvents(log)
}

// announce returns the function that tells the operator which administrator auth has made.
func announce(cfg config.Config) bootstrap.Announce {
	return func(username, password string) {
		_ = cli.Credentials(os.Stdout, cfg, username, password) // stdout is closed; nothing to report
	}
}

// greet says where the program serves once it does.
func greet(lc fx.Lifecycle, cfg config.HTTP, _ *httpserver.Server) {
	lc.Append(fx.StartHook(func() error { return cli.Banner(os.Stdout, cfg) }))
}

type simulate struct{}

func (simulate) Execute([]string) error { return serveWith(demo.Module) }

type migrate struct{}

func (migrate) Execute([]string) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	ctx, cancel := untilSignal()
	defer cancel()
	return cli.Migrate(ctx, os.Stdout, cfg, schema.New())
}

type explain struct {
	Format string `long:"format" choice:"report" choice:"markdown" choice:"env" default:"report" description:"report (this environment's values), markdown (the table of docs/configuration.md) or env (an example file)."`
}

func (e explain) Execute([]string) error {
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

func (healthcheck) Execute([]string) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	return cli.Healthcheck(context.Background(), cfg.HTTP)
}

type printed struct{}

func (printed) Execute([]string) error {
	_, err := fmt.Println(version.String())
	return err
}

// untilSignal returns a context that ends when the process is asked to.
func untilSignal() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}
