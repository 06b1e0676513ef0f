package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"telltale/config"
)

func TestLogger_JSONEntriesAreInUTCAndCarryStacksFromErrorOn(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	encoder, err := newEncoder("json")
	require.NoError(t, err)
	log := build(encoder, zapcore.AddSync(&out), zapcore.InfoLevel)

	log.Debug("unseen")
	log.Info("seen", zap.Duration("duration_ms", 1500*time.Microsecond+7))
	log.Error("broken", zap.Error(errors.New("why")))

	var seen, broken map[string]any
	decoder := json.NewDecoder(&out)
	require.NoError(t, decoder.Decode(&seen))
	require.NoError(t, decoder.Decode(&broken))
	require.False(t, decoder.More())
	require.Equal(t, "seen", seen["message"])
	require.InDelta(t, 1.5, seen["duration_ms"], 0)
	_, err = time.Parse("2006-01-02T15:04:05.000Z", seen["time"].(string))
	require.NoError(t, err)
	require.NotContains(t, seen, "stacktrace")
	require.Equal(t, "why", broken["error"])
	require.Contains(t, broken["stacktrace"], "TestLogger_JSONEntries")
}

func TestLogger_ConsoleEntriesAreShortLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	encoder, err := newEncoder("console")
	require.NoError(t, err)
	build(encoder, zapcore.AddSync(&out), zapcore.DebugLevel).Info("seen", zap.Int("port", 8000), zap.Duration("duration_ms", time.Second))
	require.Regexp(t, `^\d\d:\d\d:\d\d\.\d{3}Z  INFO  seen  \{"port": 8000, "duration_ms": 1000\}\n$`, out.String())
}

func TestLogger_UnknownLevelsAndFormatsAreErrors(t *testing.T) {
	t.Parallel()
	_, err := New(config.Log{Level: "loud", Format: "json"})
	require.ErrorContains(t, err, "loud")
	_, err = New(config.Log{Level: "info", Format: "xml"})
	require.ErrorContains(t, err, "xml")
	for _, level := range []string{"debug", "info", "warn", "error"} {
		_, err = New(config.Log{Level: level, Format: "console"})
		require.NoError(t, err)
	}
}

func TestLogger_ShowsOnlyErrorsOfFxAboveDebug(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.DebugLevel)
	events := NewEvents(zap.New(core))
	events.LogEvent(&fxevent.Started{})
	events.LogEvent(&fxevent.OnStartExecuted{FunctionName: "f", Err: errors.New("no")})
	require.Equal(t, zapcore.DebugLevel, logs.All()[0].Level)
	require.Equal(t, zapcore.ErrorLevel, logs.All()[1].Level)
}
