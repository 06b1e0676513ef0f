// Package logging makes the program's logger: where it writes, in which format, how times and durations look, and when an entry has
// a stack trace. It also decides which of fx's events are logged.
//
// The packages that log decide what is logged, and at which level.
package logging

import (
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"telltale/config"
)

// New returns a logger that writes to stderr: one JSON object a line for machines, or short lines for people at a
// terminal. Times are ISO 8601 in UTC; entries from error level on carry a stack trace. Durations are numbers of milliseconds,
// to the microsecond: end the names of their fields in _ms. An unknown level or format is an error.
func New(cfg config.Log) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(cfg.Level)
	if err != nil {
		return nil, fmt.Errorf("making the logger: %w", err)
	}
	encoder, err := newEncoder(cfg.Format)
	if err != nil {
		return nil, fmt.Errorf("making the logger: %w", err)
	}
	sink, _, err := zap.Open("stderr")
	if err != nil {
		return nil, fmt.Errorf("making the logger: %w", err)
	}
	return build(encoder, sink, level), nil
}

func build(encoder zapcore.Encoder, sink zapcore.WriteSyncer, level zapcore.Level) *zap.Logger {
	return zap.New(zapcore.NewCore(encoder, sink, level), zap.ErrorOutput(sink), zap.AddStacktrace(zapcore.ErrorLevel))
}

// WithStack returns a logger whose entries carry the stack, and no stack of the code that logs them.
func WithStack(log *zap.Logger, stack []byte) *zap.Logger {
	const never = zapcore.FatalLevel + 1 // no entry has this level
	return log.WithOptions(zap.AddStacktrace(never)).With(zap.ByteString("stacktrace", stack))
}

func newEncoder(format string) (zapcore.Encoder, error) {
	switch format {
	case "json":
		return zapcore.NewJSONEncoder(jsonConfig()), nil
	case "console":
		return zapcore.NewConsoleEncoder(consoleConfig()), nil
	default:
		return nil, fmt.Errorf("unknown format %q: it is json or console", format)
	}
}

func jsonConfig() zapcore.EncoderConfig {
	cfg := zap.NewProductionEncoderConfig()
	cfg.TimeKey = "time"
	cfg.MessageKey = "message"
	cfg.CallerKey = zapcore.OmitKey
	cfg.EncodeTime = utc("2006-01-02T15:04:05.000Z")
	cfg.EncodeDuration = milliseconds
	return cfg
}

// consoleConfig leaves out what a person watching does not need: the date and the caller.
func consoleConfig() zapcore.EncoderConfig {
	cfg := jsonConfig()
	cfg.EncodeTime = utc("15:04:05.000Z")
	cfg.EncodeLevel = zapcore.CapitalLevelEncoder
	cfg.ConsoleSeparator = "  "
	return cfg
}

func milliseconds(d time.Duration, enc zapcore.PrimitiveArrayEncoder) {
	enc.AppendFloat64(float64(d.Microseconds()) / 1000)
}

func utc(layout string) zapcore.TimeEncoder {
	return func(t time.Time, enc zapcore.PrimitiveArrayEncoder) { enc.AppendString(t.UTC().Format(layout)) }
}
