package main

import (
	"context"
	"errors"
	"os"

	"telltale/modules/transfer"
)

// remote is where import and export find the server. The token is in the environment, because flags can be seen by others.
type remote struct {
	URL string `env:"TELLTALE_URL" default:"http://127.0.0.1:${port}" help:"The server's URL. Its API key or token is read from TELLTALE_TOKEN, or the file TELLTALE_TOKEN_FILE."`
}

func (r remote) server() (transfer.Server, error) {
	token, err := transfer.Token(os.Getenv)
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
	Files      []string `arg:"" name:"file" help:"Files of CSV, NDJSON or InfluxDB line protocol, gzipped or not; - is standard input."`
	Format     string   `enum:"auto,csv,ndjson,lines" default:"auto" help:"auto (by content), csv, ndjson or lines (line protocol)."`
	OnError    string   `enum:"fail,skip" default:"fail" help:"Whether to stop at records that are not valid (fail), or to list them and go on (skip)."`
	Parallel   int      `default:"4" help:"Requests under way at once; those of one device follow each other."`
	Precision  string   `enum:"ns,us,ms,s,m,h" default:"ns" help:"Unit of the times of line protocol."`
	DeviceTags []string `name:"device-tag" default:"host,device" help:"Tags of line protocol that name the device: the first that a line has."`
	Fresh      bool     `help:"Begin at the beginning, even if an import of the same file was interrupted."`
}

func (i importing) Run() error {
	server, err := i.server()
	if err != nil {
		return err
	}
	opts := transfer.Options{
		Skip: i.OnError == "skip", Fresh: i.Fresh, Parallel: i.Parallel, Precision: i.Precision, DeviceTags: i.DeviceTags,
	}
	if i.Format != "auto" {
		opts.Format = transfer.Format(i.Format)
	}
	ctx, cancel := untilSignal()
	defer cancel()
	screen := transfer.NewScreen(os.Stderr)
	done, err := transfer.Import(ctx, server, opts, i.Files, os.Stdin, screen)
	screen.Close()
	screen.Line("%d records stored, %d rejected.", done.Stored, done.Rejected)
	return interrupted(ctx, err)
}

type exporting struct {
	remote
	Device    []string `help:"A device; repeat it for several. All if absent."`
	Metric    []string `help:"A metric; repeat it for several. All if absent."`
	From      string   `help:"The first instant: RFC 3339, Unix milliseconds or relative (--from=-24h). The very first if absent."`
	To        string   `help:"The instant behind the last. Now if absent."`
	Format    string   `enum:"csv,ndjson" default:"csv" help:"csv or ndjson."`
	Output    string   `short:"o" default:"-" help:"The file to write, compressed if its name ends in .gz; - is standard output."`
	Overwrite bool     `help:"Replace the file if there is one."`
}

func (e exporting) Run() error {
	server, err := e.server()
	if err != nil {
		return err
	}
	ctx, cancel := untilSignal()
	defer cancel()
	screen := transfer.NewScreen(os.Stderr)
	readings, err := transfer.Export(ctx, server, transfer.Selection{
		Devices: e.Device, Metrics: e.Metric, From: e.From, To: e.To, Format: transfer.Format(e.Format),
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
