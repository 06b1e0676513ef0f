package demo

import (
	"net"
	"os"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"telltale/modules/auth/keys"
	"telltale/platform/httpapp"
	"telltale/platform/httpserver"
)

// Module runs the simulator beside the server, from when it listens until before it stops listening.
var Module = fx.Module("demo",
	// What it prints for people would be gone from the screen at once if each of its posts had a line in the log.
	fx.Supply(fx.Annotate(httpapp.Quiet(simulatorName), fx.ResultTags(`group:"quiet"`))),
	fx.Invoke(func(lifecycle fx.Lifecycle, server *httpserver.Server, keys *keys.Service, log *zap.Logger) {
		simulator := New(func() string { return baseURL(server.Addr()) }, keys, os.Stdout, log.Named("demo"))
		lifecycle.Append(fx.Hook{OnStart: simulator.Start, OnStop: simulator.Stop})
	}),
)

// baseURL returns where a client on this machine reaches a server that listens at the address.
func baseURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
