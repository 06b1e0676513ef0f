package main

import (
	"context"
	"errors"
	"os"

	"telltale/modules/transfer"
)

// remote is where import and export find the server. The token is in the environment, because flags can be seen by others.
type remote struct {
	URL string `long:"url" env:"TELLTALE_URL" description:"The server's URL; that of this machine's server, http://127.0.0.1 and PORT or 8000, if absent. Its API key or token is read from TELLTALE_TOKEN, or the file TELLTALE_TOKEN_FILE."`
}

func (r remote) server() (transfer.Server, error) {
	token, err := transfer.Token(os.Getenv)
	if r.URL == "" {
		r.URL = "http://127.0.0.1:" + defaultPort()
	}
	return transfer.Server{URL: r.URL, Token: token}, err
}

// defaultPort is that of the server that runs with this environment.
func defaultPort() string {
	if port := os.Getenv("PORT"); port != "" {
		return port
	}
	return "8000"
}

type importing struct {
	remote
	Format     string   `long:"format" choice:"auto" choice:"csv" choice:"ndjson" choice:"lines" default:"auto" description:"auto (by content), csv, ndjson or lines (line protocol)."`
	OnError    string   `long:"on-error" choice:"fail" choice:"skip" default:"fail" description:"Whether to stop at records that are not valid (fail), or to list them and go on (skip)."`
	Parallel   int      `long:"parallel" default:"4" description:"Requests under way at once; those of one device follow each other."`
	Precision  string   `long:"precision" choice:"ns" choice:"us" choice:"ms" choice:"s" choice:"m" choice:"h" default:"ns" description:"Unit of the times of line protocol."`
	DeviceTags []string `long:"device-tag" default:"host" default:"device" description:"Tags of line protocol that name the device: the first that a line has."`
	Fresh      bool     `long:"fresh" description:"Begin at the beginning, even if an import of the same file was interrupted."`
	Files      struct {
		Names []string `positional-arg-name:"file" required:"1" description:"Files of CSV, NDJSON or InfluxDB line protocol, gzipped or not; - is standard input."`
	} `positional-args:"yes"`
}

func (i importing) Execute([]string) error {
	server, err := i.server()
	if err != nil {
		return err
	}
	opts := transfer.Options{
		Skip: i.OnError == "skip", Fresh: i.Fresh, Parallel: i.Parallel, Precision: i.Precision, DeviceTags: separated(i.DeviceTags),
	}
	if i.Format != "auto" {
		opts.Format = transfer.Format(i.Format)
	}
	ctx, cancel := untilSignal()
	defer cancel()
	screen := transfer.NewScreen(os.Stderr)
	done, err := transfer.Import(ctx, server, opts, i.Files.Names, os.Stdin, screen)
	screen.Close()
	screen.Line("%d records stored, %d rejected.", done.Stored, done.Rejected)
	return interrupted(ctx, err)
}

type exporting struct {
	remote
	Device    []string `long:"device" description:"A device; repeat it for several. All if absent."`
	Metric    []string `long:"metric" description:"A metric; repeat it for several. All if absent."`
	From      string   `long:"from" description:"The first instant: RFC 3339, Unix milliseconds or relative (--from=-24h). The very first if absent."`
	To        string   `long:"to" description:"The instant behind the last. Now if absent."`
	Format    string   `long:"format" choice:"csv" choice:"ndjson" default:"csv" description:"csv or ndjson."`
	Output    string   `short:"o" long:"output" default:"-" description:"The file to write, compressed if its name ends in .gz; - is standard output."`
	Overwrite bool     `long:"overwrite" description:"Replace the file if there is one."`
}

func (e exporting) Execute([]string) error {
	server, err := e.server()
	if err != nil {
		return err
	}
	ctx, cancel := untilSignal()
	defer cancel()
	screen := transfer.NewScreen(os.Stderr)
	readings, err := transfer.Export(ctx, server, transfer.Selection{
		Devices: separated(e.Device), Metrics: separated(e.Metric), From: e.From, To: e.To, Format: transfer.Format(e.Format),
	}, e.Output, e.Overwrite, os.Stdout, screen.Readings)
	screen.Close()
	screen.Line("%d readings exported.", readings)
	return interrupted(ctx, err)
}

// interrupted says what to do about an error that a signal made.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted; the same command goes on from here")
	}
	return err
}
