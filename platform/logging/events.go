package logging

import (
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Events shows fx's own events in the log as far as they matter: errors as errors, the rest at debug.
type Events struct{ log fxevent.ZapLogger }

// NewEvents returns a logger of fx's events, for fx.WithLogger.
func NewEvents(log *zap.Logger) *Events {
	// A stack trace would only show the inside of fx.
	events := fxevent.ZapLogger{Logger: log.Named("fx").WithOptions(zap.AddStacktrace(zapcore.FatalLevel))}
	events.UseLogLevel(zapcore.DebugLevel)
	return &Events{log: events}
}

// LogEvent logs the event.
func (e *Events) LogEvent(event fxevent.Event) { e.log.LogEvent(event) }
